import pg from 'pg';

import { auditTopic } from '#platform/subgraph/audit.js';

import type { TestPanel } from '../support/panel.js';
import { until } from '../support/world.js';

/** One row of one tenant, as JSON text. */
export interface Row {
  table: string;
  row: string;
}

const tablesSql = `select n.nspname as schema, c.relname as table, a.attname is null as "isTenant"
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  left join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped
  where c.relkind in ('r', 'p') and not c.relispartition and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
    and (a.attname is not null or (n.nspname = 'identity' and c.relname = 'tenant'))
  order by 1, 2`;

const queries = new WeakMap<TestPanel, Promise<string>>();

/** The names of all tables that have rows of tenants. */
export async function tenantTables(panel: TestPanel): Promise<string[]> {
  const tables = await panel.sql<{ schema: string; table: string }>(tablesSql);
  return tables.map(({ schema, table }) => `${schema}.${table}`);
}

async function rowsQuery(panel: TestPanel): Promise<string> {
  const tables = await panel.sql<{ schema: string; table: string; isTenant: boolean }>(tablesSql);
  return tables
    .map(({ schema, table, isTenant }) => {
      const name = `${pg.escapeIdentifier(schema)}.${pg.escapeIdentifier(table)}`;
      const key = isTenant ? 'id' : 'tenant_id';
      return `select '${schema}.${table}' as "table", to_jsonb(t)::text as row from ${name} t where ${key} = $1`;
    })
    .join(' union all ');
}

/** Everything that the database holds of a tenant, read past every policy. */
export async function rowsOf(panel: TestPanel, tenantId: string): Promise<Row[]> {
  if (!queries.has(panel)) queries.set(panel, rowsQuery(panel));
  const rows = await panel.sql<Row>((await queries.get(panel)) ?? '', [tenantId]);
  return rows.toSorted((a, b) => (`${a.table} ${a.row}` < `${b.table} ${b.row}` ? -1 : 1));
}

const looksAlike = 5;

/** The same, once what goes on in the background leaves them alone. */
export async function settledRowsOf(panel: TestPanel, tenantId: string): Promise<Row[]> {
  let rows = await rowsOf(panel, tenantId);
  let alike = 0;
  await until(
    async () => {
      await nudge(panel);
      const next = await rowsOf(panel, tenantId);
      const isQuiet = changesOf(rows, next).length === 0 && (await isAudited(panel, tenantId));
      alike = isQuiet ? alike + 1 : 0;
      rows = next;
      return alike >= looksAlike;
    },
    'a tenant at rest',
    30_000,
  );
  return rows;
}

/** Whether identity has come past every mutation of the tenant, whatever area it was in. */
async function isAudited(panel: TestPanel, tenantId: string): Promise<boolean> {
  const areas = (await tenantTables(panel)).flatMap((table) => /^(\w+)\.outbox$/.exec(table)?.[1] ?? []);
  const waiting = areas.map(
    (
      area,
    ) => `select from ${area}.outbox o where o.tenant_id = $1 and o.topic = '${auditTopic}' and not exists (
      select from platform.consumer_position p
      where p.consumer = 'identity' and p.source = '${area}' 
        and (p.timeline, p.xid, p.id) >= (o.timeline, o.xid, o.id))`,
  );
  return (await panel.sql(waiting.join(' union all '), [tenantId])).length === 0;
}

/**
 * Wakes whoever follows an outbox. Consumers look again after a second by the panel's clock, which stands still here,
 * so an event that was not settled when they were woken would wait for the next one.
 */
export async function nudge(panel: TestPanel): Promise<void> {
  await panel.sql(
    `select pg_notify('outbox', nspname) from pg_namespace where to_regclass(nspname || '.outbox') is not null`,
  );
}

/** What is in one list and not in the other, a sentence each. */
export function changesOf(before: readonly Row[], after: readonly Row[]): string[] {
  const textOf = ({ table, row }: Row) => `${table}: ${row}`;
  const [was, is] = [new Set(before.map(textOf)), new Set(after.map(textOf))];
  return [
    ...[...was].filter((row) => !is.has(row)).map((row) => `lost ${row}`),
    ...[...is].filter((row) => !was.has(row)).map((row) => `gained ${row}`),
  ];
}
