import { readFileSync } from 'node:fs';

import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';

import { assetPath } from '#platform/package-root.js';

import { trailOf } from '../identity/audit/support.js';
import { Live } from '../support/live.js';
import { startTestPanel, type TestPanel } from '../support/panel.js';
import { hasRedis, TestRedis } from '../support/redis.js';
import { until, World } from '../support/world.js';

const { version } = JSON.parse(readFileSync(assetPath('package.json'), 'utf8')) as { version: string };
const isTried = hasRedis || process.env['CI'] !== undefined;
const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/) as unknown;

interface Status {
  mode: string;
  status: string;
  leader: string | null;
  nodes: number;
  replication_lag_ms: number | null;
  last_failover: string | null;
}
interface Node {
  id: string;
  name: string;
  role: string;
  status: string;
  epoch: number | null;
}

let redis: TestRedis | undefined;
let panel: TestPanel;
beforeAll(async () => {
  if (isTried) redis = await TestRedis.start();
  panel = await startTestPanel({ NODE_NAME: 'one', ...(redis ? { REDIS_URL: redis.url } : {}) });
});
afterAll(async () => {
  await panel.stop();
  await redis?.[Symbol.asyncDispose]();
});
const others: TestPanel['panel'][] = [];
afterEach(async () => {
  for (const other of others.splice(0)) await other.stop();
  await until(async () => (await status()).nodes === 1, 'the others to be gone');
});

async function asAdministrator<Body>(path: string, body?: unknown) {
  const token = await panel.world.administrator();
  return panel.world.rest<Body>(`/api/cc/ha/${path}`, { token, ...(body === undefined ? {} : { body }) });
}
const status = async () => (await asAdministrator<Status>('status')).body;
const nodes = async () => (await asAdministrator<Node[]>('nodes')).body;
async function another(NODE_NAME: string, more: Record<string, string> = {}) {
  const started = await panel.another({ NODE_NAME, ...more });
  others.push(started);
  return started;
}

test('one process alone: what is shown is measured, in the published shape', async () => {
  await until(async () => (await nodes())[0]?.epoch != null, 'the leases');
  expect(await status()).toEqual({
    mode: 'standalone',
    status: 'healthy',
    leader: 'one',
    nodes: 1,
    replication_lag_ms: null,
    last_failover: null,
  });
  expect(await nodes()).toEqual([
    {
      id: expect.stringMatching(/^one\/[0-9a-f-]{36}$/) as unknown,
      name: 'one',
      role: 'leader',
      status: 'healthy',
      version,
      address: new URL(panel.panel.url).host,
      started_at: time,
      last_heartbeat: time,
      epoch: 1,
    },
  ]);
});

test("the platform's administrators alone are answered", async () => {
  const tenant = await panel.world.tenant();
  for (const [path, body] of [
    ['status', undefined],
    ['nodes', undefined],
    ['failover', {}],
    ['upgrade', { version: '9' }],
  ] as const)
    expect([path, (await tenant.rest(`/api/cc/ha/${path}`, body ? { body } : {})).status]).toEqual([
      path,
      403,
    ]);
  expect((await panel.world.rest('/api/cc/ha/status')).status).toBe(401);
  await using live = new Live(panel.panel.url, tenant.token, 'subscription { haChanged { nodes } }');
  await live.ended();
  expect(live.firstErrorCode).toBe('FORBIDDEN');
});

test('a failover is refused where nobody else could lead, and of names that are none', async () => {
  const alone = await asAdministrator<{ error: string }>('failover', {});
  expect([alone.status, alone.body.error]).toEqual([
    409,
    'There is no other healthy process that could lead',
  ]);
  expect((await asAdministrator('failover', { target: 'nobody' })).status).toBe(409);
  expect((await asAdministrator('failover', { target: '' })).status).toBe(422);
  expect((await asAdministrator('failover', { target: 1 })).status).toBe(400);
  expect((await asAdministrator('failover', { to: 'one' })).status).toBe(422);
  expect(await panel.sql('select from platform.ha_change where from_name is not null')).toEqual([]);
});

test('one that is gone is missed unless another of its name and areas has come in its place, for each of them one', async () => {
  const gone = async (id: string, areas: string, beat: string) =>
    panel.sql(
      `insert into platform.process (id, node_name, version, address, areas, state, started_at, beat_at)
       select $1, node_name, version, '', ${areas}, 'running', ${beat} - interval '1 second', ${beat}
       from platform.process where node_name = 'one' and address <> ''`,
      [id],
    );
  const before = `started_at - interval '10 seconds'`;
  await until(async () => (await status()).status === 'healthy', 'the leases');
  try {
    await gone('gone/1', 'areas', before);
    expect((await status()).status).toBe('healthy');
    // Which had been started in the place of another that is gone.
    await gone('gone/2', 'areas', `${before} - interval '20 seconds'`);
    expect((await status()).status).toBe('healthy');
    // Heard of after the one that is there had begun, though it has the same name.
    await gone('gone/3', 'areas', 'now()');
    expect((await status()).status).toBe('degraded');
    await panel.sql(`delete from platform.process where id = 'gone/3'`);
    await gone('gone/4', `'{fleet}'::text[]`, before);
    expect((await status()).status).toBe('degraded');
    await panel.sql(`delete from platform.process where id = 'gone/4'`);
    await gone('gone/5', 'areas', before);
    expect((await status()).status).toBe('degraded');
  } finally {
    await panel.sql(`delete from platform.process where id like 'gone/%'`);
  }
});

describe.skipIf(!isTried)('several processes', () => {
  test('a failover gives every lease to the one that is named; writes of the one before are refused', async () => {
    await another('two');
    await using live = new Live(
      panel.panel.url,
      await panel.world.administrator(),
      'subscription { haChanged { leader nodes lastFailover } }',
    );
    await live.opened();
    const before = (await nodes()).find(({ name }) => name === 'one')!;
    const moved = await asAdministrator<Status>('failover', { target: 'two' });
    expect([moved.status, moved.body]).toMatchObject([
      200,
      { mode: 'active-passive', status: 'healthy', leader: 'two', nodes: 2 },
    ]);
    const [one, two] = [
      (await nodes()).find(({ name }) => name === 'one')!,
      (await nodes()).find(({ name }) => name === 'two')!,
    ];
    expect([one.role, one.epoch, two.role, two.epoch]).toEqual([
      'follower',
      null,
      'leader',
      (before.epoch ?? 0) + 1,
    ]);
    await expect(
      panel.sql('select platform.assert_epoch($1, $2, $3)', ['fleet', before.id, before.epoch]),
    ).rejects.toThrow(/no longer held/);
    const isTold = () =>
      live.results.some(({ data }) => {
        const told = (data as { haChanged?: { leader: string; lastFailover: string | null } }).haChanged;
        return told?.leader === 'two' && told.lastFailover !== null;
      });
    await panel.clock.advanceUntil(isTold);
    expect((await status()).last_failover).toEqual(time);

    // Again: who leads goes on.
    expect((await asAdministrator<Status>('failover', { target: 'two' })).body.leader).toBe('two');
    expect((await nodes()).find(({ name }) => name === 'two')!.epoch).toBe(two.epoch);
    const token = await panel.world.administrator();
    const { data } = await panel.world.graphql<{ haChanges: unknown[] }>(
      '{ haChanges(first: 1) { kind from to epoch } }',
      {},
      token,
    );
    expect(data?.haChanges).toEqual([{ kind: 'panel', from: 'one', to: 'two', epoch: two.epoch }]);
    // Chosen where nobody is named.
    expect((await asAdministrator<Status>('failover', {})).body.leader).toBe('one');
    const chosen = (await nodes()).find(({ name }) => name === 'one')!.epoch;
    // Repeated, as whoever had no answer does, it is the same.
    expect((await asAdministrator<Status>('failover', {})).body.leader).toBe('one');
    expect((await nodes()).find(({ name }) => name === 'one')!.epoch).toBe(chosen);

    const me = await panel.world.rest<{ tenant: { id: string } }>('/api/auth/me', { token });
    const administrator = {
      graphql: async (query: string, variables = {}) => panel.world.graphql(query, variables, token),
    };
    await until(
      async () =>
        (await trailOf(administrator as never, { filter: { action: 'failOver' } })).nodes.length >= 3,
      'the failovers in the trail',
    );
    expect(me.body.tenant.id).toMatch(/^org_/);
  }, 120_000);

  test('work goes on with the new leader: a plan that is granted is in force, events arrive', async () => {
    const second = await another('two');
    await asAdministrator('failover', { target: 'two' });
    const tenant = await (await panel.world.tenant()).grantPlan('PRO');
    const there = tenant.at(new World(second.url, panel.clock));
    await using live = new Live(second.url, tenant.token, 'subscription { instanceChanged { name } }');
    await live.opened();
    await there.node('after');
    await live.received(1);
    expect(await there.instanceLimit()).toBe(25);
    await asAdministrator('failover', { target: 'one' });
  }, 120_000);

  test('names that several have are refused, an id is not; who drains is no candidate', async () => {
    await another('two');
    await another('two');
    const twice = await asAdministrator<{ error: string }>('failover', { target: 'two' });
    expect([twice.status, twice.body.error]).toEqual([
      409,
      'Several processes are named two: name the one that is meant by its id',
    ]);
    const { id } = (await nodes()).find(({ name }) => name === 'two')!;
    expect((await asAdministrator<Status>('failover', { target: id })).body.leader).toBe('two');
    await asAdministrator('failover', { target: 'one' });

    const draining = await another('three', { DRAIN_SECONDS: '5' });
    const stopped = draining.stop();
    await until(
      async () => (await nodes()).find(({ name }) => name === 'three')?.status === 'draining',
      'the list to tell of it',
    );
    expect((await asAdministrator('failover', { target: 'three' })).status).toBe(409);
    await stopped;
    others.splice(others.indexOf(draining), 1);
  }, 120_000);

  test('a process that ended without a word is shown, and no candidate; a frozen one neither', async () => {
    await panel.sql(
      `insert into platform.process (id, node_name, version, address, areas, state)
       values ('dead/1', 'dead', '1', 'dead:1', '{fleet}', 'running')`,
    );
    expect((await status()).status).toBe('degraded');
    expect((await nodes()).find(({ name }) => name === 'dead')?.status).toBe('offline');
    expect((await status()).nodes).toBe(1);
    expect((await asAdministrator('failover', { target: 'dead' })).status).toBe(409);
    // Nothing else happens any more.
    await until(async () => {
      await panel.clock.advance(2_000);
      const [seen] = await panel.sql<{ isAll: boolean }>(
        'select fingerprint = platform.ha_fingerprint() as "isAll" from platform.ha_seen',
      );
      return seen?.isAll === true;
    }, 'all to be seen');
    await panel.sql(
      `update platform.process set beat_at = now() - interval '11 minutes' where id = 'dead/1'`,
    );
    await until(async () => {
      await panel.clock.advance(2_000);
      return (await nodes()).every(({ name }) => name !== 'dead');
    }, 'it to be forgotten');
    expect((await status()).status).toBe('healthy');
  }, 120_000);
});
