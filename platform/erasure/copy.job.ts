import type { Sweep, SweepStep } from '../membership/sweep.js';
import type { Consumer } from '../outbox/consumer.js';
import type { ErasureOptions } from './erasure.job.js';
import { partsOf } from './parts.js';
import { readRows, tenantTables, type TenantTable } from './tables.js';

interface Task {
  id: string;
  tenantId: string;
  causedBy: string;
  parts: number;
  table: string | null;
  after: string | null;
  report: Record<string, number>;
}

const rowsAtOnce = 50;
/** After as much a transaction ends. */
const turnBytes = 1024 * 1024;
/** Of one area; of 64 KiB at most each, but for single rows that are larger. What is beyond is left out. */
const mostParts = 4096;

/** Keeps in mind that a tenant's export is wanted. */
export function copyConsumer(area: string): Consumer {
  return {
    topics: ['identity.organization-export.asked'],
    bearsLate: true,
    async handle({ em, event }) {
      const { exportId } = event.payload as { exportId: string };
      await em.execute(
        `insert into ${area}.copy (id, copied_tenant_id, caused_by) values (?, ?, ?) on conflict do nothing`,
        [exportId, event.tenantId, event.causedBy],
      );
    },
  };
}

/**
 * Makes an area's part of the exports of tenants that live: what their erasure would hand out, without taking it away. A
 * little at a time, table by table in the order of their keys, so it is no picture of one moment: what changes meanwhile is
 * in it as it was or as it is then.
 */
export function copySweep(area: string, { withoutExport }: ErasureOptions = {}): Sweep {
  return {
    name: 'export.copy',
    isLong: true,
    everyMs: 5_000,
    due: `select from ${area}.copy`,
    async run(step) {
      const { em } = step;
      const [task] = await em.execute<Task[]>(
        `select id, copied_tenant_id as "tenantId", caused_by as "causedBy", parts, source_table as "table",
           after_key::text as after, report
         from ${area}.copy order by id limit 1`,
      );
      if (!task) return 'done';
      const tables = (await tenantTables(em, area)).filter(({ name }) => !withoutExport?.test(name));
      if (await copySome(area, tables, task, step)) {
        await em.execute(
          `update ${area}.copy set parts = ?, source_table = ?, after_key = ?::jsonb, report = ?::jsonb where id = ?`,
          [task.parts, task.table, task.after, JSON.stringify(task.report), task.id],
        );
        return 'more';
      }
      tell(step, task, 'export.area.completed', {
        area,
        rows: task.report,
        isCut: task.parts >= mostParts,
      });
      await em.execute(`delete from ${area}.copy where id = ?`, [task.id]);
      return 'more';
    },
  };
}

/** Whether there may be more. */
async function copySome(
  area: string,
  tables: readonly TenantTable[],
  task: Task,
  step: SweepStep,
): Promise<boolean> {
  let bytes = 0;
  // A table that an upgrade has taken away meanwhile is begun anew with all others: parts are kept once.
  const from = Math.max(
    0,
    tables.findIndex(({ name }) => name === task.table),
  );
  for (const table of tables.slice(from)) {
    const { name } = table;
    if (task.table !== name) Object.assign(task, { table: name, after: null });
    for (;;) {
      if (task.parts >= mostParts) return false;
      const { tenantId, after } = task;
      const rows = await readRows(step.em, area, table, { tenantId, after, atMost: rowsAtOnce });
      task.report[name] = (task.report[name] ?? 0) + rows.length;
      for (const part of partsOf(rows.map(({ row }) => row))) {
        tell(step, task, 'export.rows.copied', { area, table: name, part: task.parts, rows: part });
        task.parts += 1;
      }
      task.after = rows.at(-1)?.key ?? task.after;
      bytes += rows.reduce((sum, { row }) => sum + row.length, 0);
      if (bytes >= turnBytes) return true;
      if (rows.length < rowsAtOnce) break;
    }
  }
  return false;
}

function tell(
  { publish }: SweepStep,
  { id, tenantId, causedBy }: Task,
  topic: string,
  payload: Record<string, unknown>,
): void {
  publish({ topic, tenantId, entityId: id, payload: { exportId: id, ...payload }, causedBy });
}
