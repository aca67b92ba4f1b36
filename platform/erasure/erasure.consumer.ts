import pg from 'pg';

import type { SqlEntityManager } from '../database/database.js';
import type { Consumer } from '../outbox/consumer.js';
import type { OutboxEvent } from '../outbox/outbox.js';

export interface ErasureOptions {
  /** Tables whose rows are erased and counted but not exported: measurements, mostly. */
  withoutExport?: RegExp;
  /** What else belongs to the tenant, beyond tables with a `tenant_id` that the jobs role may delete from. */
  also?: (em: SqlEntityManager, tenantId: string) => Promise<void>;
}

interface Table {
  name: string;
  columns: string[];
  isDeletable: boolean;
}

const rowsPerPart = 200;
// What lets its holder in, hashed and sealed or not, is nobody's to take along.
const secretColumn = /hash|secret|sealed|password|token/;

/**
 * Erases a tenant from one area when identity says so: every row of every table that has a `tenant_id`, in the
 * transaction that tells how many there were. The rows go, in parts and without secrets, to the owner of the export.
 */
export function erasureConsumer(area: string, options: ErasureOptions = {}): Consumer {
  return {
    topics: ['identity.tenant.erased'],
    async handle({ em, event, publish }) {
      const { tenantId, erasureId } = event.payload as { tenantId: string; erasureId: string };
      const send = (topic: string, payload: Record<string, unknown>): void => {
        const sent: OutboxEvent = { topic, tenantId: event.tenantId, entityId: erasureId, payload };
        publish(sent);
      };
      const rows: Record<string, number> = {};
      const tables = await tablesOf(em, area);
      for (const table of tables) {
        rows[table.name] = await count(em, area, table, tenantId);
        if (rows[table.name] === 0 || options.withoutExport?.test(table.name)) continue;
        let part = 0;
        for await (const found of parts(em, area, table, tenantId)) {
          send('erasure.rows.exported', { erasureId, area, table: table.name, part, rows: found });
          part += 1;
        }
      }
      for (const { name, isDeletable } of tables) {
        if (isDeletable)
          await em.execute(`delete from ${qualified(area, name)} where tenant_id = ?`, [tenantId]);
      }
      await options.also?.(em, tenantId);
      send('erasure.area.completed', { erasureId, area, rows });
    },
  };
}

/** The outbox is left to its retention: its events of the last hours may still be under way to their consumers. */
async function tablesOf(em: SqlEntityManager, area: string): Promise<Table[]> {
  return em.execute<Table[]>(
    `select c.relname as name, has_table_privilege(c.oid, 'delete') as "isDeletable",
       (select jsonb_agg(a.attname order by a.attnum) from pg_attribute a
         where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped) as columns
     from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where n.nspname = ? and c.relkind in ('r', 'p') and not c.relispartition and c.relname <> 'outbox'
       and has_table_privilege(c.oid, 'select')
       and exists (select from pg_attribute a
         where a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped)
     order by c.relname`,
    [area],
  );
}

async function count(em: SqlEntityManager, area: string, { name }: Table, tenantId: string): Promise<number> {
  const [row] = await em.execute<{ count: number }[]>(
    `select count(*)::int as count from ${qualified(area, name)} where tenant_id = ?`,
    [tenantId],
  );
  return row?.count ?? 0;
}

/** All rows, as they stand in the snapshot of one cursor. */
async function* parts(
  em: SqlEntityManager,
  area: string,
  { name, columns }: Table,
  tenantId: string,
): AsyncGenerator<Record<string, unknown>[]> {
  const shown = columns
    .filter((column) => !secretColumn.test(column))
    .map((column) => pg.escapeIdentifier(column));
  const cursor = pg.escapeIdentifier(`export_${name}`);
  await em.execute(
    `declare ${cursor} no scroll cursor for
     select to_jsonb(r) as row from (select ${shown.join(', ')} from ${qualified(area, name)}
       where tenant_id = ${pg.escapeLiteral(tenantId)}) r`,
  );
  for (;;) {
    const rows = await em.execute<{ row: Record<string, unknown> }[]>(`fetch ${rowsPerPart} from ${cursor}`);
    if (rows.length > 0) yield rows.map(({ row }) => row);
    if (rows.length < rowsPerPart) break;
  }
  await em.execute(`close ${cursor}`);
}

function qualified(area: string, table: string): string {
  return `${pg.escapeIdentifier(area)}.${pg.escapeIdentifier(table)}`;
}
