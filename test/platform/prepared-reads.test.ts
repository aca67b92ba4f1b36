import { randomUUID } from 'node:crypto';

import pg from 'pg';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';

import { Connections } from '#platform/database/connections.js';
import { patience, withPatience } from '#platform/database/patience.js';
import { TenantReads } from '#platform/database/tenant-reads.js';

import { openFleetStore, type FleetStore } from '../support/fleet-store.js';

let store: FleetStore;
let connections: Connections;
let reads: TenantReads;
beforeAll(async () => {
  store = await openFleetStore();
});
afterAll(async () => {
  await connections.close();
  await store.stop();
});
beforeEach(async () => {
  await connections?.close();
  // One connection, so that a read finds what the one before it left behind.
  connections = new Connections(store.test.url, { requests: 1, background: 1 });
  reads = new TenantReads(connections, 'fleet');
});

const short = { isShort: true };
const idsSql = 'select id from fleet.instance where id > ? order by id limit ?';
const ids = async (tenantId: string) =>
  (await reads.select<{ id: string }>(tenantId, idsSql, ['', 10], short)).map(({ id }) => id);

/** What the server keeps for the one connection. */
async function prepared(): Promise<{ name: string; statement: string; runs: number }[]> {
  const { rows } = await connections.use(async (client) =>
    client.query<{ name: string; statement: string; runs: string }>(
      'select name, statement, generic_plans + custom_plans as runs from pg_prepared_statements order by prepare_time',
    ),
  );
  return rows.map((row) => ({ ...row, runs: Number(row.runs) }));
}

test('a short read is parsed once for a connection, other reads are not kept', async () => {
  for (const tenant of ['org_1', 'org_2', 'org_1']) await ids(tenant);
  await reads.select('org_1', 'select 1', []);
  expect(await prepared()).toMatchObject([
    { statement: expect.stringContaining(`set_config('role', 'fleet_app', true)`), runs: 3 },
    { statement: 'select id from fleet.instance where id > $1 order by id limit $2', runs: 3 },
  ]);
});

test('each tenant sees its own rows only by a statement that others had planned, however often it is run', async () => {
  const [one, other] = [`org_${randomUUID()}`, `org_${randomUUID()}`];
  const [mine, theirs] = [await store.instance(one), await store.instance(other)];
  // From the sixth time on the server may take a plan that is made for no values in particular.
  for (let turn = 0; turn < 8; turn += 1) {
    const found = await Promise.all([ids(one), ids(other), ids('')]);
    expect(found).toEqual([[mine.id], [theirs.id], []]);
  }
});

test('a read that fails when it is parsed takes nobody with it, and neither role nor tenant outlives it', async () => {
  const sql = 'select 1 / ?::int as one, current_user as role';
  const divided = async (by: number) => reads.select('org_1', sql, [by], short);
  const [zero, one] = await Promise.allSettled([divided(0), divided(1)]);
  expect(zero).toMatchObject({ status: 'rejected', reason: { message: 'division by zero' } });
  expect(one).toEqual({ status: 'fulfilled', value: [{ one: 1, role: 'fleet_app' }] });
  await expect(reads.select('org_1', 'select nothing from nowhere', [], short)).rejects.toThrow('nowhere');
  expect(await divided(1)).toEqual([{ one: 1, role: 'fleet_app' }]);
  const after = await connections.use(async (client) =>
    client.query(`select current_user as role, current_setting('app.tenant_id', true) as tenant`),
  );
  expect(after.rows).toEqual([{ role: 'panel_app', tenant: '' }]);
});

test('of many statements a connection keeps the ones used last', async () => {
  const asked = Array.from({ length: 50 }, (_, at) => at);
  for (const at of asked) {
    expect(await reads.select('org_1', `select ${at} as n, ?::text as t`, ['x'], short)).toEqual([
      { n: at, t: 'x' },
    ]);
    await ids('org_1');
  }
  const kept = await prepared();
  // What is forgotten is so with the next one that is new.
  expect(kept.length).toBeLessThanOrEqual(33);
  expect(kept.find(({ statement }) => statement.includes('fleet.instance'))?.runs).toBe(50);
  expect(kept.some(({ statement }) => statement.includes('select 49'))).toBe(true);
});

test('a server that has forgotten its statements is asked all the same, and has them parsed anew', async () => {
  const [tenant] = [`org_${randomUUID()}`];
  const { id } = await store.instance(tenant);
  await ids(tenant);
  await connections.use(async (client) => client.query('deallocate all'));
  expect(await ids(tenant)).toEqual([id]);
  expect(await ids(tenant)).toEqual([id]);
  expect((await prepared()).at(-1)).toMatchObject({ runs: 1 });
});

test('a server that has the statement already, of whomever, answers all the same', async () => {
  const tenant = `org_${randomUUID()}`;
  const { id } = await store.instance(tenant);
  await ids(tenant);
  const { name, statement } = (await prepared()).find(({ statement: sql }) =>
    sql.includes('fleet.instance'),
  )!;
  await connections.close();
  connections = new Connections(store.test.url, { requests: 1, background: 1 });
  reads = new TenantReads(connections, 'fleet');
  // As another process would have left it, to which a pooler had given the same server connection.
  await connections.use(async (client) => {
    await client.query('begin; set local role fleet_app');
    await client.query(`prepare ${pg.escapeIdentifier(name)} as ${statement}`);
    await client.query('commit');
  });
  for (const _ of [1, 2, 3]) expect(await ids(tenant)).toEqual([id]);
});

test('columns that get another type while a panel runs are read as what they are', async () => {
  const owner = new pg.Client({ connectionString: store.test.ownerUrl });
  await owner.connect();
  try {
    await owner.query('create table fleet.shape as select 7 as n');
    await owner.query('grant select on fleet.shape to fleet_app');
    const read = async () => reads.select('org_1', 'select n from fleet.shape', [], short);
    expect(await read()).toEqual([{ n: 7 }]);
    await owner.query('alter table fleet.shape alter n type text');
    expect(await read()).toEqual([{ n: '7' }]);
    expect(await read()).toEqual([{ n: '7' }]);
  } finally {
    await owner.query('drop table if exists fleet.shape');
    await owner.end();
  }
});

test('the deadline of whoever asks holds, each time', async () => {
  const sleep = async (seconds: number) => reads.select('org_1', 'select pg_sleep(?)', [seconds], short);
  await sleep(0);
  const hasty = { ...patience.request, statement: 150 };
  for (const _ of [1, 2]) {
    const begun = performance.now();
    await expect(withPatience(hasty, async () => sleep(4))).rejects.toMatchObject({ code: '57014' });
    expect(performance.now() - begun).toBeLessThan(3_000);
  }
  const { rows } = await connections.use(async (client) => client.query('show statement_timeout'));
  expect(rows).toEqual([{ statement_timeout: '0' }]);
});

test('values arrive as they are, whatever characters they have', async () => {
  const texts = [
    `it's`,
    'a\\b',
    `'; drop table fleet.instance; --`,
    'what?',
    '$1',
    'ü😀',
    'x'.repeat(20_000),
  ];
  const at = new Date('2026-01-02T03:04:05.678Z');
  const columns = [...texts.map((_, index) => `?::text as t${index}`), '?::timestamptz as at', '?::int as n'];
  const sql = `select ${columns.join(', ')}, ?::text as nothing, ?::boolean as yes`;
  const [row] = await reads.select('org_1', sql, [...texts, at, 7, null, true], short);
  expect(Object.values(row!)).toEqual([...texts, at, 7, null, true]);
  await expect(reads.select('org_1', 'select ?::text', ['a\0b'], short)).rejects.toThrow('null characters');
  await expect(reads.select('org_1', 'select ?::text', [], short)).rejects.toThrow('placeholders');
  expect(
    await reads.select(
      `x', true), set_config('role', 'panel_app`,
      'select id from fleet.instance',
      [],
      short,
    ),
  ).toEqual([]);
});

test('through what may be a pooler nothing is kept', async () => {
  const { url } = store.test;
  const pooled = new Connections(
    { url: `${url}?application_name=pooled`, directUrl: url },
    { requests: 1, background: 1 },
  );
  try {
    const through = new TenantReads(pooled, 'fleet');
    expect(await through.select('org_1', 'select ?::int as one', [1], short)).toEqual([{ one: 1 }]);
    const { rows } = await pooled.use(async (client) =>
      client.query('select name from pg_prepared_statements'),
    );
    expect(rows).toEqual([]);
  } finally {
    await pooled.close();
  }
});
