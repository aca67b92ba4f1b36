import pg from 'pg';

import type { SqlEntityManager } from '../database/database.js';

export interface TenantTable {
  name: string;
  columns: string[];
  /** Of its primary key, in its order. */
  key: string[];
  isPartitioned: boolean;
}

// What lets its holder in, hashed and sealed or not, is nobody's to take along.
const secretColumn = /hash|secret|sealed|password|token/;

/**
 * An area's tables that have a `tenant_id`, children first: whatever a foreign key would delete along with its parent
 * has been exported by then. The outbox is left to its retention: its events of the last hours may still be under way
 * to their consumers.
 */
export async function tenantTables(em: SqlEntityManager, area: string): Promise<TenantTable[]> {
  const tables = await em.execute<(TenantTable & { parents: string[] })[]>(
    `select c.relname as name, c.relkind = 'p' as "isPartitioned",
       (select jsonb_agg(a.attname order by a.attnum) from pg_attribute a
         where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped) as columns,
       coalesce((select jsonb_agg(a.attname order by array_position(k.conkey, a.attnum)) from pg_constraint k
         join pg_attribute a on a.attrelid = c.oid and a.attnum = any(k.conkey)
         where k.conrelid = c.oid and k.contype = 'p'), '[]') as key,
       coalesce((select jsonb_agg(p.relname) from pg_constraint f join pg_class p on p.oid = f.confrelid
         where f.conrelid = c.oid and f.contype = 'f' and p.oid <> c.oid), '[]') as parents
     from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where n.nspname = ? and c.relkind in ('r', 'p') and not c.relispartition and c.relname <> 'outbox'
       and has_table_privilege(c.oid, 'select')
       and exists (select from pg_attribute a
         where a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped)
     order by c.relname`,
    [area],
  );
  const ordered: TenantTable[] = [];
  for (let rest = tables; rest.length > 0;) {
    const parents = new Set(rest.flatMap((table) => table.parents));
    const next = rest.filter(({ name }) => !parents.has(name));
    if (next.length === 0) throw new Error(`the foreign keys of ${area} go round in a circle`);
    ordered.push(...next);
    rest = rest.filter((table) => !next.includes(table));
  }
  return ordered;
}

/** Removes some rows of a tenant and answers them as JSON texts, without secrets. */
export async function takeRows(
  em: SqlEntityManager,
  area: string,
  { name, columns, isPartitioned }: TenantTable,
  options: { tenantId: string; atMost: number; door: string | undefined },
): Promise<string[]> {
  const { tenantId, atMost, door } = options;
  if (isPartitioned)
    throw new Error(`${area}.${name} is partitioned: it can only be erased without an export`);
  const shown = shownOf(columns);
  const table = qualified(area, name);
  const gone = door
    ? `select * from ${qualified(area, door)}(?, ?)`
    : `delete from ${table} where ctid = any(array(select ctid from ${table} where tenant_id = ? limit ?)) returning *`;
  const rows = await em.execute<{ row: string }[]>(
    `with gone as (${gone}) select to_jsonb(r)::text as row from (select ${shown.join(', ')} from gone) r`,
    [tenantId, atMost],
  );
  return rows.map(({ row }) => row);
}

/** Removes some rows of a tenant and answers how many there were. */
export async function dropRows(
  em: SqlEntityManager,
  area: string,
  { name }: TenantTable,
  { tenantId, atMost }: { tenantId: string; atMost: number },
): Promise<number> {
  const table = qualified(area, name);
  // A row's place is one in its partition: what the tenant has in the same place of another partition goes with it.
  const [row] = await em.execute<{ count: number }[]>(
    `with gone as (delete from ${table} where tenant_id = ?
         and ctid = any(array(select ctid from ${table} where tenant_id = ? limit ?)) returning 1)
     select count(*)::int as count from gone`,
    [tenantId, tenantId, atMost],
  );
  return row?.count ?? 0;
}

/** The next rows of a tenant behind a key, in the order of keys, as JSON texts without secrets. */
export async function readRows(
  em: SqlEntityManager,
  area: string,
  { name, columns, key }: TenantTable,
  { tenantId, after, atMost }: { tenantId: string; after: string | null; atMost: number },
): Promise<{ row: string; key: string }[]> {
  if (key.length === 0) throw new Error(`${area}.${name} has no primary key: its rows have no order`);
  const table = qualified(area, name);
  const keys = key.map((column) => pg.escapeIdentifier(column));
  const keyJson = key.map((column, index) => `${pg.escapeLiteral(column)}, t.${keys[index]}`);
  const behind = `and (${keys.map((column) => `t.${column}`).join(', ')})
      > (select ${keys.map((column) => `k.${column}`).join(', ')} from jsonb_populate_record(null::${table}, ?::jsonb) k)`;
  return em.execute<{ row: string; key: string }[]>(
    `select (select to_jsonb(s) from (select ${shownOf(columns)
      .map((column) => `t.${column}`)
      .join(', ')}) s)::text as row, jsonb_build_object(${keyJson.join(', ')})::text as key
     from ${table} t where t.tenant_id = ? ${after === null ? '' : behind}
     order by ${keys.map((column) => `t.${column}`).join(', ')} limit ?`,
    [tenantId, ...(after === null ? [] : [after]), atMost],
  );
}

function shownOf(columns: readonly string[]): string[] {
  return columns.filter((column) => !secretColumn.test(column)).map((column) => pg.escapeIdentifier(column));
}

function qualified(area: string, name: string): string {
  return `${pg.escapeIdentifier(area)}.${pg.escapeIdentifier(name)}`;
}
