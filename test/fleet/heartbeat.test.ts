import { decodeJwt } from 'jose';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { refusal, restTime } from '../support/answers.js';
import { startTestPanel, type TestPanel } from '../support/panel.js';
import { Node, ordinaryBeat } from '../support/world.js';

let panel: TestPanel;
beforeAll(async () => {
  panel = await startTestPanel();
});
afterAll(async () => panel.stop());

const day = 24 * 60 * 60 * 1000;

async function newNode(): Promise<Node> {
  return (await panel.world.tenant()).node();
}

async function rowOf({ id }: Node): Promise<Record<string, unknown>> {
  const [row] = await panel.sql('select * from fleet.instance where id = $1', [id]);
  return row!;
}

async function samplesOf({ id }: Node): Promise<Record<string, unknown>[]> {
  return panel.sql(
    `select at, cpu_percent, memory_percent, disk_percent, net_rx_bytes, net_tx_bytes, load_average
     from fleet.metrics_sample where instance_id = $1 order by at`,
    [id],
  );
}

const secondsFromNow = (seconds: number) => new Date(panel.clock.now().getTime() + seconds * 1000);

test('a beat that was acknowledged is stored, with its sample', async () => {
  const node = await newNode();
  const now = panel.clock.now();
  const readings = {
    net_rx_bytes: 1_000_000,
    net_tx_bytes: 2_000_000,
    load_average: 0.7,
    uptime_seconds: 86_400,
    storage_used_gb: 12.5,
    health: [{ component: 'proxy', status: 'healthy' }],
    facts: { 'disk encrypted': true, nested: { deep: [1, null] } },
    sequence: 7,
    sent_at: now.toISOString(),
    version: '0.3.0',
  };
  const answer = await node.beat(readings);
  expect([answer.status, answer.body]).toEqual([
    200,
    { server_time: restTime(now), heartbeat_seconds: 30, commands: [] },
  ]);
  expect(await rowOf(node)).toMatchObject({
    version: '0.3.0',
    last_seen_at: now,
    offline_at: secondsFromNow(90),
    announced_status: 'HEALTHY',
    reasons: [],
    sequence: '7',
    clock_skew_seconds: 0,
    apps_count: 3,
    cpu_percent: 12.5,
    memory_percent: 40,
    disk_percent: 30,
    cpu_cores: 4,
    memory_gb: 16,
    storage_used_gb: 12.5,
    net_rx_bytes: 1_000_000,
    net_tx_bytes: 2_000_000,
    net_rx_bytes_per_second: null,
    net_tx_bytes_per_second: null,
    load_average: 0.7,
    uptime_seconds: 86_400,
    health: [{ component: 'proxy', status: 'HEALTHY' }],
    facts: { 'disk encrypted': true, nested: { deep: [1, null] } },
  });
  expect(await samplesOf(node)).toEqual([
    {
      at: now,
      cpu_percent: 12.5,
      memory_percent: 40,
      disk_percent: 30,
      net_rx_bytes: 1_000_000,
      net_tx_bytes: 2_000_000,
      load_average: 0.7,
    },
  ]);
});

test('network rates come from two readings of a counter, and a counter that was reset tells nothing', async () => {
  const tenant = await panel.world.tenant();
  const node = await tenant.node();
  const rates: unknown[] = [];
  for (const [seconds, rx, tx] of [
    [0, 1_000, 50],
    [30, 4_000, 350],
    [30, 500, 650],
    [60, 1_100, 650],
    [30, undefined, 680],
    [30, 9_000, 710],
  ] as const) {
    await panel.clock.advance(seconds * 1000);
    await node.beat({ ...(rx === undefined ? {} : { net_rx_bytes: rx }), net_tx_bytes: tx });
    const { body } = await tenant.rest(`/api/fleet/metrics/${node.id}`);
    rates.push([body.net_rx_bytes_per_second, body.net_tx_bytes_per_second]);
  }
  expect(rates).toEqual([
    [null, null],
    [100, 10],
    [null, 10],
    [10, 0],
    [null, 1],
    [null, 1],
  ]);
});

test('a beat with wrong types is refused, and nothing of it is stored', async () => {
  const node = await newNode();
  const answer = await node.beat({ cpu_percent: 'high', apps_count: 1.5, health: 'fine' });
  expect([answer.status, answer.body]).toEqual([
    400,
    { error: expect.stringMatching(/cpu_percent .*apps_count .*health /) },
  ]);
  expect([(await rowOf(node)).last_seen_at, await samplesOf(node)]).toEqual([null, []]);
});

test('a beat with unknown or missing fields is refused naming each', async () => {
  const node = await newNode();
  const typo = await node.beat({ cpu_percentage: 5, health: [{ component: 'proxy', state: 'healthy' }] });
  expect([typo.status, typo.body]).toEqual([
    422,
    {
      error: 'Validation failed',
      details: {
        cpu_percentage: expect.any(String),
        'health.0.state': expect.any(String),
        'health.0.status': 'Status is required',
      },
    },
  ]);
  const { version: _version, ...incomplete } = ordinaryBeat;
  const missing = await panel.world.rest('/api/agent/heartbeat', {
    token: node.credential,
    body: incomplete,
  });
  expect([missing.status, missing.body]).toEqual([
    422,
    { error: 'Validation failed', details: { version: 'Version is required' } },
  ]);
  expect([(await rowOf(node)).last_seen_at, await samplesOf(node)]).toEqual([null, []]);
});

test('readings that cannot be are refused naming each', async () => {
  const node = await newNode();
  const answer = await node.beat({
    cpu_percent: 100.1,
    memory_percent: -1,
    cpu_cores: -1,
    version: ' ',
    net_rx_bytes: -5,
    net_tx_bytes: 1.7e308,
    health: [{ component: '', status: 'degraded' }],
    facts: { big: 'x'.repeat(33 * 1024) },
    samples: [
      {
        timestamp: panel.clock.now().toISOString(),
        cpu_percent: 1,
        memory_percent: 1,
        disk_percent: 101,
        net_rx_bytes: -5e-324,
      },
    ],
    sequence: -1,
  });
  expect([answer.status, answer.body]).toEqual([
    422,
    {
      error: 'Validation failed',
      details: {
        cpu_percent: 'CPU percent must be from 0 to 100',
        memory_percent: 'Memory percent must be from 0 to 100',
        cpu_cores: 'CPU cores must not be negative',
        version: 'Version is required',
        net_rx_bytes: 'Net rx bytes must not be negative',
        net_tx_bytes: 'Net tx bytes must be at most 9007199254740991',
        'health.0.component': 'Component is required',
        facts: 'Facts must have at most 32 kB of JSON',
        'samples.0.disk_percent': 'Disk percent must be from 0 to 100',
        'samples.0.net_rx_bytes': 'Net rx bytes must not be negative',
        sequence: 'Sequence must not be negative',
      },
    },
  ]);
  expect([(await rowOf(node)).last_seen_at, await samplesOf(node)]).toEqual([null, []]);
});

test('only a node may beat: users are forbidden, strangers unknown', async () => {
  const tenant = await panel.world.tenant();
  const answers = [
    await tenant.rest('/api/agent/heartbeat', { body: ordinaryBeat }),
    await panel.world.rest('/api/agent/heartbeat', { body: ordinaryBeat }),
    await panel.world.rest('/api/agent/heartbeat', { body: ordinaryBeat, token: 'nonsense' }),
  ];
  expect(answers.map(({ status }) => status)).toEqual([403, 401, 401]);
});

test('a credential of a revoked generation is refused, and its beat is not stored', async () => {
  const node = await newNode();
  await node.beat();
  const before = await rowOf(node);
  await panel.sql('update fleet.instance set credential_generation = 2 where id = $1', [node.id]);
  await panel.clock.advance(30_000);
  const answer = await node.beat({ cpu_percent: 99 });
  expect([answer.status, answer.body]).toEqual([401, { error: 'The credential was revoked' }]);
  const reason = await panel.world.graphql(
    'mutation($input: ReportHeartbeatInput!) { reportHeartbeat(input: $input) { serverTime } }',
    {
      input: {
        cpuPercent: 1,
        memoryPercent: 1,
        diskPercent: 1,
        appsCount: 1,
        cpuCores: 1,
        memoryGb: 1,
        version: '1',
      },
    },
    node.credential,
  );
  expect(refusal(reason)).toEqual({ code: 'UNAUTHENTICATED', reason: 'TOKEN_REVOKED' });
  expect(await rowOf(node)).toEqual({ ...before, credential_generation: 2 });
  expect(await samplesOf(node)).toHaveLength(1);
});

test('a credential is renewed from ten days before its end to seven days after, and refused then', async () => {
  const node = await newNode();
  const start = panel.clock.now().getTime();
  const beatAt = async (ms: number, credential: string) => {
    await panel.clock.advance(start + ms - panel.clock.now().getTime());
    return new Node(panel.world, node.name, node.id, credential).beat();
  };
  expect((await beatAt(20 * day - 1000, node.credential)).body).not.toHaveProperty('credential');
  const early = await beatAt(20 * day, node.credential);
  expect(decodeJwt(String(early.body.credential)).exp).toBe((start + 50 * day) / 1000);

  const late = await beatAt(37 * day - 1000, node.credential);
  const renewed = String(late.body.credential);
  expect([late.status, decodeJwt(renewed)]).toEqual([
    200,
    expect.objectContaining({ sub: node.id, gen: 1, exp: (start + 67 * day) / 1000 - 1 }),
  ]);
  const refused = await beatAt(37 * day, node.credential);
  expect([refused.status, refused.body]).toEqual([401, { error: 'The token has expired' }]);
  const next = await beatAt(37 * day, renewed);
  expect([next.status, next.body]).toEqual([
    200,
    { server_time: restTime(panel.clock.now()), heartbeat_seconds: 30, commands: [] },
  ]);
});

test('a stored beat is answered even when the credential that waits for its node cannot be read', async () => {
  const tenant = await panel.world.tenant();
  const node = await tenant.node();
  await tenant.graphql('mutation($id: ID!) { rotateInstanceCredential(id: $id) { id } }', { id: node.id });
  await panel.sql('alter table fleet.instance rename column candidate_generation to elsewhere');
  const answer = await node.beat({ cpu_percent: 77 });
  await panel.sql('alter table fleet.instance rename column elsewhere to candidate_generation');
  expect([answer.status, answer.body]).toEqual([
    200,
    { server_time: restTime(panel.clock.now()), heartbeat_seconds: 30, commands: [] },
  ]);
  expect(await rowOf(node)).toMatchObject({ cpu_percent: 77 });
  expect((await node.beat()).body, 'it comes with the next one').toHaveProperty('credential');
});

test('a sample that is sent again is stored once', async () => {
  const node = await newNode();
  const old = (minutes: number, cpu: number) => ({
    timestamp: secondsFromNow(-60 * minutes).toISOString(),
    cpu_percent: cpu,
    memory_percent: 20,
    disk_percent: 30,
  });
  const beat = { sent_at: panel.clock.now().toISOString(), samples: [old(3, 11), old(2, 12), old(2, 13)] };
  for (const _again of [1, 2]) expect((await node.beat(beat)).status).toBe(200);
  expect((await samplesOf(node)).map(({ at, cpu_percent }) => [at, cpu_percent])).toEqual([
    [secondsFromNow(-180), 11],
    [secondsFromNow(-120), 12],
    [panel.clock.now(), 12.5],
  ]);
});

test("samples of a node whose clock is off are stored by the panel's time", async () => {
  const node = await newNode();
  await node.beat({
    sent_at: secondsFromNow(600).toISOString(),
    samples: [
      { timestamp: secondsFromNow(540).toISOString(), cpu_percent: 1, memory_percent: 1, disk_percent: 1 },
    ],
  });
  expect((await samplesOf(node)).map(({ at }) => at)).toEqual([secondsFromNow(-60), panel.clock.now()]);
  expect(await rowOf(node)).toMatchObject({ last_seen_at: panel.clock.now(), clock_skew_seconds: 600 });
});

test('beats of one node that come together are all taken, in turn', async () => {
  const node = await newNode();
  const answers = await Promise.all(Array.from({ length: 20 }, (_, sequence) => node.beat({ sequence })));
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  expect(await samplesOf(node)).toHaveLength(1);
});
