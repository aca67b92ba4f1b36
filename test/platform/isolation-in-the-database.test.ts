import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { areaNames } from '#panel/areas.js';

import { startTestPanel, type TestPanel } from '../support/panel.js';
import type { Tenant } from '../support/world.js';

/*
 * What row-level security alone keeps apart: every service check is passed by, SQL is run as the panel's own login in
 * the role of a subgraph with another tenant set.
 */

interface TenantTable {
  schema: string;
  table: string;
  /** The column that names the tenant. */
  key: string;
  isForced: boolean;
  isPartition: boolean;
}

let panel: TestPanel;
let app: pg.Pool;
let tables: TenantTable[];
let victim: Tenant;
let stranger: Tenant;

beforeAll(async () => {
  panel = await startTestPanel();
  app = new pg.Pool({ connectionString: panel.database.url, max: 4 });
  [victim, stranger] = [await fullTenant(), await fullTenant()];
  tables = await panel.sql<TenantTable>(
    `select n.nspname as schema, c.relname as table, case when a.attname is null then 'id' else 'tenant_id' end as key,
       c.relrowsecurity and c.relforcerowsecurity as "isForced", c.relispartition as "isPartition"
     from pg_class c join pg_namespace n on n.oid = c.relnamespace
     left join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped
     where c.relkind in ('r', 'p') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
       and (a.attname is not null or (n.nspname = 'identity' and c.relname = 'tenant'))
     order by 1, 2`,
  );
});
afterAll(async () => {
  await app.end();
  await panel.stop();
});

/** A tenant with something in each table that the public API can fill. */
async function fullTenant(): Promise<Tenant> {
  const tenant = await panel.world.tenant();
  const node = await tenant.node();
  await node.beat();
  await tenant.grantPlan('PRO');
  return tenant;
}

/** Runs SQL as the panel's login in `role`, with the given tenant in the session; always rolled back. */
async function as<Row extends pg.QueryResultRow>(
  role: string,
  tenantId: string | undefined,
  sql: string,
  values: unknown[] = [],
): Promise<pg.QueryResult<Row>> {
  const client = await app.connect();
  try {
    await client.query('begin');
    await client.query(`select set_config('role', $1, true)`, [role]);
    if (tenantId !== undefined) {
      await client.query(`select set_config('app.tenant_id', $1, true)`, [tenantId]);
    }
    return await client.query<Row>(sql, values);
  } finally {
    await client.query('rollback');
    client.release();
  }
}

/** The same, answering how many rows were met, or that the role may not. */
async function rowsMet(...args: Parameters<typeof as>): Promise<number | 'denied'> {
  try {
    return (await as(...args)).rowCount ?? 0;
  } catch (error) {
    if (error instanceof pg.DatabaseError && error.code === '42501') return 'denied';
    throw error;
  }
}

const nameOf = ({ schema, table }: TenantTable) =>
  `${pg.escapeIdentifier(schema)}.${pg.escapeIdentifier(table)}`;
const roleOf = ({ schema }: TenantTable) => `${schema}_app`;
/** What each table answers, by its name, so that a failure names the table. */
async function inEach<T>(ask: (table: TenantTable) => Promise<T>): Promise<Record<string, T>> {
  const answers: Record<string, T> = {};
  for (const table of tables) answers[nameOf(table)] = await ask(table);
  return answers;
}
const none = [0, 'denied'];
const everyTable = (value: unknown) => Object.fromEntries(tables.map((table) => [nameOf(table), value]));
const noneInAnyTable = () => everyTable(expect.toSatisfy((met) => none.includes(met), 'meets no row'));

test('the tables of tenants are found, and the ones that matter have rows of both tenants', async () => {
  expect(Object.keys(everyTable(true))).toEqual(
    expect.arrayContaining([
      '"fleet"."enrollment_token"',
      '"fleet"."instance"',
      '"fleet"."metrics_sample"',
      '"fleet"."outbox"',
      '"identity"."outbox"',
      '"identity"."refresh_token"',
      '"identity"."session"',
      '"identity"."tenant"',
      '"identity"."user"',
    ]),
  );
  for (const name of ['fleet.enrollment_token', 'fleet.instance', 'fleet.metrics_sample', 'fleet.outbox']) {
    for (const { id } of [victim, stranger]) {
      const own = await as('fleet_app', id, `select 1 from ${name} where tenant_id = $1`, [id]);
      expect([name, own.rowCount]).toEqual([name, expect.toSatisfy((count: number) => count > 0)]);
    }
  }
});

test('every table of tenants forces row-level security, or is a partition that no subgraph may touch', async () => {
  const grants = await panel.sql<{ name: string }>(
    `select distinct format('%I.%I', table_schema, table_name) as name from information_schema.role_table_grants
     where grantee ~ '_(app|jobs)$' or grantee = 'PUBLIC'`,
  );
  const granted = new Set(grants.map(({ name }) => name));
  const open = tables.filter(
    (table) => !table.isForced && !(table.isPartition && !granted.has(`${table.schema}.${table.table}`)),
  );
  expect(open.map(nameOf)).toEqual([]);
});

test('every table of a subgraph is a table of tenants, but for those that are the panel its own', async () => {
  const rows = await panel.sql<{ name: string }>(
    `select format('%s.%s', n.nspname, c.relname) as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.relkind in ('r', 'p') and n.nspname = any($1)
       and not c.relrowsecurity and not c.relispartition order by 1`,
    [areaNames],
  );
  // Each is reached by a key that only its holder has, or holds nothing of any tenant.
  const ofThePanel =
    /\.(migration|signing_key|setup_link|attempt|outbox_removed|hearing|usage_hour|stripe_account)$/;
  expect(rows.map(({ name }) => name).filter((name) => !ofThePanel.test(name))).toEqual([]);
});

describe('the role of another tenant', () => {
  test('sees no row', async () => {
    const seen = await inEach((table) =>
      rowsMet(roleOf(table), stranger.id, `select 1 from ${nameOf(table)} where ${table.key} = $1`, [
        victim.id,
      ]),
    );
    expect(seen).toEqual(noneInAnyTable());
  });

  test('sees none without asking for one either', async () => {
    const seen = await inEach((table) =>
      rowsMet(roleOf(table), stranger.id, `select 1 from ${nameOf(table)} where ${table.key} <> $1`, [
        stranger.id,
      ]),
    );
    expect(seen).toEqual(noneInAnyTable());
  });

  test('changes no row', async () => {
    const changed = await inEach((table) =>
      rowsMet(
        roleOf(table),
        stranger.id,
        `update ${nameOf(table)} set ${table.key} = $1 where ${table.key} = $2`,
        [stranger.id, victim.id],
      ),
    );
    expect(changed).toEqual(noneInAnyTable());
  });

  test('deletes no row', async () => {
    const deleted = await inEach((table) =>
      rowsMet(roleOf(table), stranger.id, `delete from ${nameOf(table)} where ${table.key} = $1`, [
        victim.id,
      ]),
    );
    expect(deleted).toEqual(noneInAnyTable());
  });

  test('slips no row in', async () => {
    // The policy is checked before any other constraint, so that naming the tenant is enough.
    const inserted = await inEach((table) =>
      rowsMet(roleOf(table), stranger.id, `insert into ${nameOf(table)} (${table.key}) values ($1)`, [
        victim.id,
      ]),
    );
    expect(inserted).toEqual(everyTable('denied'));
  });

  test('hands no row of its own over', async () => {
    const moved = await inEach((table) =>
      rowsMet(roleOf(table), stranger.id, `update ${nameOf(table)} set ${table.key} = $1`, [victim.id]),
    );
    expect(moved).toEqual(noneInAnyTable());
    expect(moved['"fleet"."instance"']).toBe('denied');
  });
});

test('without a tenant no row is seen or changed', async () => {
  for (const tenantId of [undefined, '']) {
    const seen = await inEach((table) => rowsMet(roleOf(table), tenantId, `select 1 from ${nameOf(table)}`));
    expect(seen).toEqual(noneInAnyTable());
    const changed = await inEach((table) =>
      rowsMet(roleOf(table), tenantId, `update ${nameOf(table)} set ${table.key} = ${table.key}`),
    );
    expect(changed).toEqual(noneInAnyTable());
  }
});

test('a subgraph cannot look into the tables of another', async () => {
  for (const area of areaNames) {
    const foreign = tables.filter(({ schema }) => schema !== area);
    const seen: Record<string, unknown> = {};
    for (const table of foreign)
      seen[nameOf(table)] = await rowsMet(`${area}_app`, victim.id, `select 1 from ${nameOf(table)}`);
    expect([area, seen]).toEqual([
      area,
      Object.fromEntries(foreign.map((table) => [nameOf(table), 'denied'])),
    ]);
  }
});

test('the login itself, in no role, sees nothing at all', async () => {
  const seen = await inEach((table) => rowsMet('panel_app', victim.id, `select 1 from ${nameOf(table)}`));
  expect(seen).toEqual(everyTable('denied'));
});

test('the lookups before the tenant is known answer with ids only, and only to who has the key', async () => {
  const found = await as('identity_app', '', 'select * from identity.find_user_by_email($1)', [
    victim.account.email,
  ]);
  expect(found.rows).toEqual([{ tenant_id: victim.id, id: victim.user.id }]);
  const token = await as('fleet_app', '', 'select * from fleet.find_enrollment_token($1)', ['nonsense']);
  expect(token.rows).toEqual([]);
  expect(await rowsMet('fleet_app', '', 'select * from identity.find_user_by_email($1)', ['x'])).toBe(
    'denied',
  );
});
