import { afterAll, beforeAll, expect, test } from 'vitest';

import { restTime } from '../support/answers.js';
import { startTestPanel, type TestPanel } from '../support/panel.js';
import { ordinaryBeat, type Node } from '../support/world.js';
import { rowOf, samplesOf } from './support/stored.js';

let panel: TestPanel;
beforeAll(async () => {
  panel = await startTestPanel();
});
afterAll(async () => panel.stop());

async function newNode(): Promise<Node> {
  return (await panel.world.tenant()).node();
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
  expect(await rowOf(panel, node)).toMatchObject({
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
  expect(await samplesOf(panel, node)).toEqual([
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

test('a beat without the required shape is refused naming each fault, and nothing of it is stored', async () => {
  const node = await newNode();
  const { version: _version, cpu_percent: _cpu, ...incomplete } = ordinaryBeat;
  const beat = async (body: unknown) => {
    const answer = await panel.world.rest('/api/agent/heartbeat', { token: node.credential, body });
    return [answer.status, answer.body];
  };
  expect([await beat([]), await beat({ ...ordinaryBeat, health: 'fine' }), await beat(incomplete)]).toEqual([
    [400, { error: 'The body must be a JSON object' }],
    [400, { error: 'health must be an array' }],
    [
      422,
      {
        error: 'Validation failed',
        details: { cpu_percent: 'CPU percent is required', version: 'Version is required' },
      },
    ],
  ]);
  expect([(await rowOf(panel, node)).last_seen_at, await samplesOf(panel, node)]).toEqual([null, []]);
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
  expect((await samplesOf(panel, node)).map(({ at, cpu_percent }) => [at, cpu_percent])).toEqual([
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
  expect((await samplesOf(panel, node)).map(({ at }) => at)).toEqual([
    secondsFromNow(-60),
    panel.clock.now(),
  ]);
  expect(await rowOf(panel, node)).toMatchObject({
    last_seen_at: panel.clock.now(),
    clock_skew_seconds: 600,
  });
});

test('beats of one node that come together are all taken, in turn', async () => {
  const node = await newNode();
  const answers = await Promise.all(Array.from({ length: 20 }, (_, sequence) => node.beat({ sequence })));
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  expect(await samplesOf(panel, node)).toHaveLength(1);
});
