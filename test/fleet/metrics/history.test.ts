import 'reflect-metadata';
import { afterAll, beforeAll, expect, test } from 'vitest';

import type { Database } from '#platform/database/database.js';
import { silentLogger } from '#platform/logger.js';
import { rollupSweep } from '#subgraphs/fleet/metrics/metrics.job.js';

import { dataOf, refusal } from '../../support/answers.js';
import { openFleetDatabase, runSweep } from '../../support/fleet-store.js';
import type { TestPanel } from '../../support/panel.js';
import type { Node, Tenant } from '../../support/world.js';
import { startPanelAtNoon } from './support/noon.js';

let panel: TestPanel;
let fleet: Database;
beforeAll(async () => {
  panel = await startPanelAtNoon();
  fleet = await openFleetDatabase(panel.database.url);
});
afterAll(async () => {
  await fleet.close();
  await panel.stop();
});

type Pairs = [number, number | null][];
interface History {
  instance_id: string;
  range: string;
  source: string;
  bucket_seconds: number;
  metrics: Partial<Record<'cpu' | 'mem' | 'disk' | 'net', Pairs>>;
}

const hour = 3_600;
const day = 24 * hour;
const nowSeconds = () => panel.clock.now().getTime() / 1000;

async function fresh(): Promise<{ tenant: Tenant; node: Node }> {
  const tenant = await panel.world.tenant();
  return { tenant, node: await tenant.node() };
}

async function historyOf(tenant: Tenant, node: Node, query = ''): Promise<History> {
  const answer = await tenant.rest<History>(`/api/fleet/instances/${node.id}/metrics/history${query}`);
  if (answer.status !== 200) throw new Error(`history: ${answer.status} ${answer.text}`);
  return answer.body;
}

/** Replays readings of the past: [seconds ago, cpu percent]. */
async function replay(node: Node, readings: readonly (readonly [ago: number, cpu: number])[]): Promise<void> {
  for (let at = 0; at < readings.length; at += 400) {
    const samples = readings.slice(at, at + 400).map(([ago, cpu]) => ({
      timestamp: new Date((nowSeconds() - ago) * 1000).toISOString(),
      cpu_percent: cpu,
      memory_percent: 50,
      disk_percent: 25,
      net_rx_bytes: Math.round(100_000_000 - ago * 100),
      net_tx_bytes: Math.round(50_000_000 - ago * 50),
    }));
    expect((await node.beat({ samples })).status).toBe(200);
  }
}

/** Writes an hour's rollup as it would have been made `ago` seconds before now. */
async function storeHour(tenant: Tenant, node: Node, ago: number, cpu: number, samples = 120): Promise<void> {
  const at = new Date((Math.floor(nowSeconds() / hour) * hour - ago) * 1000);
  await panel.sql(
    `insert into fleet.metrics_hourly values
       ($1, $2, $3, $4, $5, $6, $6, $4 * 50, 50, 50, $4 * 25, 25, 25, 0, null, null, null)`,
    [tenant.id, node.id, at, samples, cpu * samples, cpu],
  );
}

test.for([
  ['1h', 'raw', 60, 60],
  ['6h', 'raw', 60, 360],
  ['24h', 'hourly', hour, 24],
  ['7d', 'hourly', hour, 168],
  ['30d', 'hourly', 2 * hour, 360],
  ['3mo', 'daily', day, 90],
] as const)(
  'the range %s is answered from %s data in buckets of %i seconds',
  async ([range, source, seconds, count]) => {
    const { tenant, node } = await fresh();
    await node.beat({ cpu_percent: 35.5 });
    const { metrics, ...rest } = await historyOf(tenant, node, `?range=${range}`);
    expect(rest).toEqual({ instance_id: node.id, range, source, bucket_seconds: seconds });
    expect(Object.keys(metrics)).toEqual(['cpu', 'mem', 'disk', 'net']);
    for (const pairs of Object.values(metrics)) {
      expect(pairs).toHaveLength(count);
      expect(pairs.every(([t], at) => at === 0 || t - pairs[at - 1]![0] === seconds)).toBe(true);
    }
    // The newest bucket holds the beat of just now, whatever is rolled up; all before it are gaps.
    const [t, v] = metrics.cpu!.at(-1)!;
    expect([t, v]).toEqual([Math.floor(nowSeconds() / seconds) * seconds, 35.5]);
    expect(metrics.cpu!.slice(0, -1).every(([, value]) => value === null)).toBe(true);
    expect(
      metrics.net!.every(([, value]) => value === null),
      'one reading of a counter tells no rate',
    ).toBe(true);
  },
);

test('the range is 24h unless told, and one metric asked for comes alone', async () => {
  const { tenant, node } = await fresh();
  await node.beat();
  expect(await historyOf(tenant, node)).toMatchObject({ range: '24h', source: 'hourly' });
  for (const metric of ['cpu', 'mem', 'disk', 'net'])
    expect(Object.keys((await historyOf(tenant, node, `?metric=${metric}`)).metrics)).toEqual([metric]);
});

test('a range or metric that there is not is refused naming those there are', async () => {
  const { tenant, node } = await fresh();
  const path = `/api/fleet/instances/${node.id}/metrics/history`;
  for (const [query, sentence] of [
    ['range=2h', 'range must be one of 1h, 6h, 24h, 7d, 30d, 3mo'],
    ['range=', 'range must be one of 1h, 6h, 24h, 7d, 30d, 3mo'],
    ['range=constructor', 'range must be one of 1h, 6h, 24h, 7d, 30d, 3mo'],
    ['metric=memory', 'metric must be one of cpu, mem, disk, net'],
    ['range=1h&metric=CPU', 'metric must be one of cpu, mem, disk, net'],
  ]) {
    const answer = await tenant.rest(`${path}?${query}`);
    expect([query, answer.status, answer.body]).toEqual([query, 400, { error: sentence }]);
  }
  const asked = await tenant.graphql(
    `query($id: ID!) { metricsHistory(instanceId: $id, range: "1y") { range } }`,
    { id: node.id },
  );
  expect(refusal(asked)).toMatchObject({ code: 'BAD_REQUEST' });
});

test("another tenant's instance is not found", async () => {
  const { node } = await fresh();
  const stranger = await panel.world.tenant();
  const answer = await stranger.rest(`/api/fleet/instances/${node.id}/metrics/history`);
  expect([answer.status, answer.body]).toEqual([404, { error: 'Instance not found' }]);
});

test('an outage shows as nulls, and once it is replayed as data with its network rates', async () => {
  const { tenant, node } = await fresh();
  const every30 = (from: number, to: number) =>
    Array.from({ length: (from - to) / 30 }, (_, at) => [from - at * 30, 20] as const);
  await replay(node, [...every30(3_300, 2_400), ...every30(1_200, 0)]);
  const gap = ({ metrics }: History) =>
    metrics.cpu!.filter(([t, v]) => v === null && t > nowSeconds() - 3_240).length;
  const before = await historyOf(tenant, node, '?range=1h');
  expect(gap(before)).toBeGreaterThanOrEqual(19);
  await replay(node, every30(2_400, 1_200));
  const after = await historyOf(tenant, node, '?range=1h');
  expect(gap(after)).toBe(0);
  const rates = after.metrics.net!.filter(([t]) => t > nowSeconds() - 3_000 && t < nowSeconds() - 120);
  expect(rates.every(([, v]) => v === 150)).toBe(true);
});

test('the hourly series is the rollups with the samples of hours not rolled up yet, before and after the sweep', async () => {
  const { tenant, node } = await fresh();
  await storeHour(tenant, node, 20 * hour, 80);
  await replay(node, [
    [5 * hour, 10],
    [5 * hour - 30, 30],
    [3 * hour, 60],
  ]);
  const before = await historyOf(tenant, node, '?range=24h&metric=cpu');
  const values = before.metrics.cpu!.map(([, v]) => v).filter((v) => v !== null);
  expect(values).toEqual([80, 20, 60, 12.5]);
  await runSweep(fleet, rollupSweep(30, silentLogger), panel.clock.now());
  expect(await historyOf(tenant, node, '?range=24h&metric=cpu')).toEqual(before);
  // Late, for an hour that is rolled up already.
  await replay(node, [[3 * hour - 1, 90]]);
  const late = await historyOf(tenant, node, '?range=24h&metric=cpu');
  expect(late.metrics.cpu!.map(([, v]) => v)).not.toContain(60);
  await runSweep(fleet, rollupSweep(30, silentLogger), panel.clock.now());
  expect(await historyOf(tenant, node, '?range=24h&metric=cpu')).toEqual(late);
});

test('a sample belongs to the bucket that its time is in, to the last millisecond of it', async () => {
  const { tenant, node } = await fresh();
  const minuteAgo = Math.floor(nowSeconds() / 60) * 60 - 600;
  for (const [at, cpu] of [
    [minuteAgo + 59.5, 10],
    [minuteAgo + 59.999, 30],
    [minuteAgo + 60, 70],
  ] as const) {
    await replay(node, [[nowSeconds() - at, cpu]]);
  }
  const { metrics } = await historyOf(tenant, node, '?range=1h&metric=cpu');
  const around = metrics.cpu!.filter(([t]) => t >= minuteAgo - 60 && t <= minuteAgo + 120);
  expect(around).toEqual([
    [minuteAgo - 60, null],
    [minuteAgo, 20],
    [minuteAgo + 60, 70],
    [minuteAgo + 120, null],
  ]);
});

test('the edges of a range: its first bucket is in, the one before it is not', async () => {
  const { tenant, node } = await fresh();
  await storeHour(tenant, node, 23 * hour, 23);
  await storeHour(tenant, node, 24 * hour, 24);
  const day1 = await historyOf(tenant, node, '?range=24h&metric=cpu');
  expect(day1.metrics.cpu![0]![1]).toBe(23);
  await storeHour(tenant, node, 167 * hour, 67);
  await storeHour(tenant, node, 168 * hour, 68);
  const week = await historyOf(tenant, node, '?range=7d&metric=cpu');
  expect(week.metrics.cpu![0]![1]).toBe(67);
  expect(week.metrics.cpu!.map(([, v]) => v)).not.toContain(68);
  const month = await historyOf(tenant, node, '?range=30d&metric=cpu');
  expect(month.metrics.cpu!.filter(([, v]) => v !== null).length).toBeGreaterThanOrEqual(2);
});

test('GraphQL gives the band around each mean, and a mean of buckets weighs by their samples', async () => {
  const { tenant, node } = await fresh();
  const even = Math.floor(nowSeconds() / hour) % 2 === 0 ? 0 : hour;
  await storeHour(tenant, node, 240 * hour + even, 10, 30);
  await storeHour(tenant, node, 239 * hour + even, 50, 90);
  const answer = await tenant.graphql<{
    metricsHistory: {
      buckets: {
        start: string;
        cpu: { mean: number; min: number; max: number; count: number } | null;
        net: unknown;
      }[];
    };
  }>(
    `query($id: ID!) { metricsHistory(instanceId: $id, range: "30d") {
       buckets { start cpu { mean min max count } net { mean } } } }`,
    { id: node.id },
  );
  const { buckets } = dataOf(answer).metricsHistory;
  expect(buckets.length).toBeLessThanOrEqual(500);
  expect(buckets.filter(({ cpu }) => cpu).map(({ cpu, net }) => ({ ...cpu, net }))).toEqual([
    { mean: 40, min: 10, max: 50, count: 120, net: null },
  ]);
});

test('a metric that a beat did not tell is missing in its own series only, raw and rolled up', async () => {
  const { tenant, node } = await fresh();
  const bandsOf = async (range: string) => {
    const answer = await tenant.graphql<{
      metricsHistory: { buckets: Record<'cpu' | 'mem', Record<string, number> | null>[] };
    }>(
      `query($id: ID!, $range: String!) { metricsHistory(instanceId: $id, range: $range) {
         buckets { cpu { mean p95 count } mem { mean p95 count } } } }`,
      { id: node.id, range },
    );
    return dataOf(answer).metricsHistory.buckets.filter(({ mem }) => mem !== null);
  };
  const reading = (ago: number, cpu: unknown, memory: number) => ({
    timestamp: new Date((nowSeconds() - ago) * 1000).toISOString(),
    cpu_percent: cpu,
    memory_percent: memory,
    disk_percent: 25,
  });
  // Two hours of which one has no usable CPU at all.
  await node.beat({
    memory_percent: null,
    samples: [
      reading(5_400, 250, 40),
      reading(5_370, 'busy', 60),
      reading(9_000, 10.25, 20),
      reading(8_970, 400, 20),
    ],
  });
  const none = { cpu: null, mem: { mean: 50, p95: expect.closeTo(60, 0), count: 2 } };
  const some = {
    cpu: { mean: 10.3, p95: expect.closeTo(10.3, 0), count: 1 },
    mem: { mean: 20, p95: expect.closeTo(20, 0), count: 2 },
  };
  const unrolled = await bandsOf('24h');
  await runSweep(fleet, rollupSweep(30, silentLogger), panel.clock.now());
  const left = await panel.sql('select hour from fleet.metrics_dirty where instance_id = $1', [node.id]);
  expect({ unrolled, rolled: await bandsOf('24h'), left: left.length }).toEqual({
    unrolled: [some, none],
    rolled: [some, none],
    left: 1,
  });
  expect(await bandsOf('3mo')).toEqual([
    {
      // With the beat's own.
      cpu: { mean: 11.4, p95: expect.closeTo(12.5, 0), count: 2 },
      mem: { mean: 35, p95: expect.closeTo(60, 0), count: 4 },
    },
  ]);
});
