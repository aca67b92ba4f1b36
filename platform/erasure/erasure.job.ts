import type { SqlEntityManager } from '../database/database.js';
import type { Sweep, SweepStep } from '../membership/sweep.js';
import type { Consumer } from '../outbox/consumer.js';
import { partsOf } from './parts.js';
import { dropRows, takeRows, tenantTables, type TenantTable } from './tables.js';

export interface ErasureOptions {
  /** Tables whose rows are erased and counted but not exported: measurements, mostly. */
  withoutExport?: RegExp;
  /** Functions `(tenant, at most)` that remove and answer rows of tables from which the jobs role may not delete. */
  doors?: Readonly<Record<string, string>>;
  /** Keeps others from adding rows of the tenant until the transaction ends. */
  lock?: (em: SqlEntityManager, tenantId: string) => Promise<void>;
  /** What else belongs to the tenant; the last of all. */
  also?: (em: SqlEntityManager, tenantId: string) => Promise<void>;
}

interface Task {
  id: string;
  tenantId: string;
  toldTo: string;
  causedBy: string;
  parts: number;
  report: Record<string, number>;
}

const rowsAtOnce = 50;
/** Of rows that are not exported, in each partition; after as many a transaction ends. */
const dropsAtOnce = 10_000;
/** After as much a transaction ends. */
const turnBytes = 1024 * 1024;

/** Keeps in mind that identity wants a tenant erased. */
export function erasureConsumer(area: string): Consumer {
  return {
    topics: ['identity.tenant.erased'],
    bearsLate: true,
    async handle({ em, event }) {
      const { tenantId, erasureId } = event.payload as { tenantId: string; erasureId: string };
      await em.execute(
        `insert into ${area}.erasure (id, erased_tenant_id, told_to, caused_by) values (?, ?, ?, ?)
         on conflict do nothing`,
        [erasureId, tenantId, event.tenantId, event.causedBy],
      );
    },
  };
}

/**
 * Erases tenants from one area: every row of every table that has a `tenant_id`. Rows leave their table in the
 * transaction that hands them, without secrets, to the owner of the export: a little at a time, so that neither the size
 * of a tenant nor the death of a process matters. It is over when a whole turn has found nothing.
 */
export function erasureSweep(area: string, options: ErasureOptions = {}): Sweep {
  return {
    name: 'erasure.carry-out',
    isLong: true,
    everyMs: 5_000,
    due: `select from ${area}.erasure`,
    async run(step) {
      const { em } = step;
      const [task] = await em.execute<Task[]>(
        `select id, erased_tenant_id as "tenantId", told_to as "toldTo", caused_by as "causedBy", parts, report
         from ${area}.erasure order by id limit 1`,
      );
      if (!task) return 'done';
      await options.lock?.(em, task.tenantId);
      const tables = await tenantTables(em, area);
      if (await takeSome(area, options, tables, task, step)) {
        await em.execute(`update ${area}.erasure set parts = ?, report = ?::jsonb where id = ?`, [
          task.parts,
          JSON.stringify(task.report),
          task.id,
        ]);
        return 'more';
      }
      await options.also?.(em, task.tenantId);
      const none = Object.fromEntries(tables.map(({ name }) => [name, 0]));
      tell(step, task, 'erasure.area.completed', { area, rows: { ...none, ...task.report } });
      await em.execute(`delete from ${area}.erasure where id = ?`, [task.id]);
      return 'more';
    },
  };
}

/** Whether there was anything. */
async function takeSome(
  area: string,
  options: ErasureOptions,
  tables: readonly TenantTable[],
  task: Task,
  step: SweepStep,
): Promise<boolean> {
  let bytes = 0;
  let isAny = false;
  const counted = (table: string, count: number) => {
    if (count === 0) return;
    isAny = true;
    task.report[table] = (task.report[table] ?? 0) + count;
  };
  for (const table of tables) {
    const { name } = table;
    if (options.withoutExport?.test(name)) {
      const dropped = await dropRows(step.em, area, table, { tenantId: task.tenantId, atMost: dropsAtOnce });
      counted(name, dropped);
      if (dropped >= dropsAtOnce) return true;
      continue;
    }
    const taking = { tenantId: task.tenantId, atMost: rowsAtOnce, door: options.doors?.[name] };
    for (;;) {
      const rows = await takeRows(step.em, area, table, taking);
      counted(name, rows.length);
      for (const part of partsOf(rows)) {
        tell(step, task, 'erasure.rows.exported', { area, table: name, part: task.parts, rows: part });
        task.parts += 1;
      }
      bytes += rows.reduce((sum, row) => sum + row.length, 0);
      if (bytes >= turnBytes) return true;
      if (rows.length < rowsAtOnce) break;
    }
  }
  return isAny;
}

function tell(
  { publish }: SweepStep,
  { id, toldTo, causedBy }: Task,
  topic: string,
  payload: Record<string, unknown>,
): void {
  publish({ topic, tenantId: toldTo, entityId: id, payload: { erasureId: id, ...payload }, causedBy });
}
