import { randomUUID } from 'node:crypto';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { Connections } from '#platform/database/connections.js';
import { isPassing } from '#platform/database/outage.js';
import { patience, withPatience, type Patience } from '#platform/database/patience.js';
import { TenantReads } from '#platform/database/tenant-reads.js';

import { openFleetStore, type FleetStore } from '../support/fleet-store.js';

let store: FleetStore;
let connections: Connections;
let reads: TenantReads;
beforeAll(async () => {
  store = await openFleetStore();
  // One connection, so that a read would find what the one before it left behind.
  connections = new Connections(store.test.url, { requests: 1, background: 1 });
  reads = new TenantReads(connections, 'fleet');
});
afterAll(async () => {
  await connections.close();
  await store.stop();
});

const ids = async (tenantId: string) =>
  (await reads.select<{ id: string }>(tenantId, 'select id from fleet.instance order by id', [])).map(
    ({ id }) => id,
  );

test('a read sees the rows of its tenant only, whichever tenant the connection served before', async () => {
  const [one, other] = [`org_${randomUUID()}`, `org_${randomUUID()}`];
  const [mine, theirs] = [await store.instance(one), await store.instance(other)];
  expect([await ids(one), await ids(other), await ids(''), await ids(one)]).toEqual([
    [mine.id],
    [theirs.id],
    [],
    [mine.id],
  ]);
});

test('neither the role nor the tenant outlives the read, nor a read that fails', async () => {
  const session = `select current_user as role, coalesce(current_setting('app.tenant_id', true), '') as tenant`;
  expect(await reads.select('org_1', session, [])).toEqual([{ role: 'fleet_app', tenant: 'org_1' }]);
  await expect(reads.select('org_1', 'select 1 / ?', [0])).rejects.toThrow('division by zero');
  // The setting is made by a statement of its own, so a message without one shows what was left.
  const after = await connections.use(async (client) => client.query(session));
  expect(after.rows).toEqual([{ role: 'panel_app', tenant: '' }]);
});

test('short reads of one turn share a connection, and each is its tenant alone, whatever becomes of the others', async () => {
  const session = `select current_user as role, current_setting('app.tenant_id') as tenant, pg_backend_pid() as pid, 1 / ?::int as one`;
  const read = async (tenant: string, divisor = 1) =>
    reads.select<{ tenant: string; pid: number }>(tenant, session, [divisor], { isShort: true });
  const asked = [read('org_1'), read('org_2', 0), read('org_3'), read('org_4'), read('org_5')];
  const [one, two, ...others] = await Promise.allSettled(asked);
  const found = (tenant: string) => ({
    status: 'fulfilled',
    value: [{ role: 'fleet_app', tenant, pid: expect.any(Number), one: 1 }],
  });
  expect(one).toEqual(found('org_1'));
  expect(two).toMatchObject({ status: 'rejected', reason: { message: 'division by zero' } });
  expect(others).toEqual([found('org_3'), found('org_4'), found('org_5')]);
  const after = await connections.use(async (client) =>
    client.query(`select current_user as role, current_setting('app.tenant_id', true) as tenant`),
  );
  expect(after.rows).toEqual([{ role: 'panel_app', tenant: '' }]);
});

test('one connection serves the short reads of one turn, four at most, and others of then go on beside it', async () => {
  const two = new Connections(store.test.url, { requests: 2, background: 1 });
  try {
    const own = new TenantReads(two, 'fleet');
    const pid = async (tenant: string, options = {}) =>
      (
        await own.select<{ pid: number }>(
          tenant,
          'select pg_backend_pid() as pid, pg_sleep(?)',
          [0.05],
          options,
        )
      )[0]!.pid;
    const short = { isShort: true };
    const pids = await Promise.all([pid('a', short), pid('b', short), pid('c'), pid('d', short)]);
    expect(new Set([pids[0], pids[1], pids[3]]).size).toBe(1);
    expect(pids[2]).not.toBe(pids[0]);
    const five = await Promise.all(['a', 'b', 'c', 'd', 'e'].map(async (tenant) => pid(tenant, short)));
    expect(new Set(five.slice(0, 4)).size).toBe(1);
    expect(five[4]).not.toBe(five[0]);
    expect(two.stats().find(({ pool }) => pool === 'requests')).toMatchObject({ taken: 0, waiting: 0 });
  } finally {
    await two.close();
  }
});

test('short reads whose connection ends fail with it, and the next ones have another', async () => {
  const read = async (sql: string) => reads.select<{ pid: number }>('org_1', sql, [], { isShort: true });
  const pidSql = 'select pg_backend_pid() as pid';
  const asked = [read(pidSql), read('select pg_sleep(4)'), read(pidSql)];
  const ended = Promise.allSettled(asked);
  const [{ pid }] = (await asked[0]) as [{ pid: number }];
  const other = new Connections(store.test.url, { requests: 1, background: 1 });
  await other.use(async (client) => client.query('select pg_terminate_backend($1)', [pid]));
  await other.close();
  expect((await ended).map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected']);
  const [next] = await read(pidSql);
  expect(next!.pid).not.toBe(pid);
});

test('whoever waits behind a short read that is not short waits no longer than for a server that says nothing', async () => {
  const one = new Connections(store.test.url, { requests: 1, background: 1 });
  try {
    const own = new TenantReads(one, 'fleet');
    const hasty: Patience = { ...patience.request, statement: 1_900, answer: 2_000 };
    const begun = performance.now();
    const ended = await withPatience(hasty, async () =>
      Promise.allSettled(
        [1.5, 1.5, 1.5, 1.5].map(async (seconds) =>
          own.select('org_1', 'select pg_sleep(?)', [seconds], { isShort: true }),
        ),
      ),
    );
    expect(performance.now() - begun).toBeLessThan(3_000);
    expect(ended.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected', 'rejected']);
    for (const each of ended.slice(1)) expect(isPassing((each as PromiseRejectedResult).reason)).toBe(true);
    expect(await own.select('org_1', 'select 1 as one', [], { isShort: true })).toEqual([{ one: 1 }]);
  } finally {
    await one.close();
  }
});

test('short reads on connections that were closed fail for those who ask, and for nobody else', async () => {
  const unheard: unknown[] = [];
  const hear = (reason: unknown) => unheard.push(reason);
  process.on('unhandledRejection', hear);
  try {
    for (const end of ['cut', 'close'] as const) {
      const closed = new Connections(store.test.url, { requests: 1, background: 1 });
      await closed[end]();
      const read = new TenantReads(closed, 'fleet').select('org_1', 'select 1', [], { isShort: true });
      await expect(read).rejects.toSatisfy(isPassing);
      await closed.close();
    }
    // Node tells of rejections after the microtasks of a turn.
    await new Promise((resolve) => setImmediate(resolve));
  } finally {
    process.off('unhandledRejection', hear);
  }
  expect(unheard).toEqual([]);
});

test('values arrive as they are, whatever characters they have', async () => {
  const texts = [`it's`, 'a\\b', `'; drop table fleet.instance; --`, 'what?', '$1', `E'\\''`, 'ü😀'];
  const at = new Date('2026-01-02T03:04:05.678Z');
  const sql = `select ${texts.map((_, index) => `? as t${index}`).join(', ')}, ? as at, ?::int as n, ?::text as nothing, ? as yes`;
  const [row] = await reads.select('org_1', sql, [...texts, at, 7, null, true]);
  expect(Object.values(row!)).toEqual([...texts, at, 7, null, true]);
  await expect(reads.select('org_1', 'select ?', ['a\0b'])).rejects.toThrow('null characters');
  await expect(reads.select('org_1', 'select ?', [])).rejects.toThrow('placeholders');
});

test('a tenant whose name is SQL stays a name', async () => {
  expect(await ids(`x', true), set_config('role', 'panel_app`)).toEqual([]);
});

test('times that are only shown come as the text that a Date would be shown as', async () => {
  const times = [
    '2026-01-02T03:04:05.678Z',
    '2026-01-02T03:04:05.000Z',
    '2026-01-02T03:04:05.100Z',
    '1999-12-31T23:59:59.010Z',
    '0099-01-01T00:00:00.000Z',
    '+012345-06-07T08:09:10.011Z',
  ];
  const sql = `${times.map((_, at) => `?::timestamptz as t${at}`).join(', ')}, null::timestamptz as never, 7 as n`;
  const given = times.map((time) => time.replace('+0', ''));
  for (const zone of ['UTC', 'Asia/Kolkata', 'America/St_Johns']) {
    const [shown] = await reads.select(
      'org_1',
      `select ${sql} from (select set_config('TimeZone', '${zone}', true)) zone`,
      given,
      { times: 'text' },
    );
    expect(Object.values(shown!)).toEqual([...times, null, 7]);
  }
  const [dates] = await reads.select('org_1', `select ${sql}`, given);
  expect(Object.values(dates!)).toEqual([...times.map((time) => new Date(time)), null, 7]);
  const [precise] = await reads.select(
    'org_1',
    `select '2026-01-02 03:04:05.9999+00'::timestamptz as t`,
    [],
    {
      times: 'text',
    },
  );
  expect(precise).toEqual({ t: '2026-01-02T03:04:05.999Z' });
});
