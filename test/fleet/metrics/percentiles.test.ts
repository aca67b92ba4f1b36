import 'reflect-metadata';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';

import type { Database } from '#platform/database/database.js';
import { silentLogger } from '#platform/logger.js';
import { rollupSweep } from '#subgraphs/fleet/metrics/metrics.job.js';
import { p95Of, type Sketch } from '#subgraphs/fleet/metrics/sketch.js';

import { dataOf } from '../../support/answers.js';
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

const hour = 3_600;
const day = 24 * hour;
const nowSeconds = () => panel.clock.now().getTime() / 1000;
const rollUp = async () => runSweep(fleet, rollupSweep(30, silentLogger), panel.clock.now());

interface Band {
  mean: number;
  p95: number | null;
  count: number;
}
interface Bucket {
  start: string;
  cpu: Band | null;
  net: Band | null;
}

async function bucketsOf(tenant: Tenant, node: Node, range: string): Promise<Bucket[]> {
  const answer = await tenant.graphql<{ metricsHistory: { buckets: Bucket[] } }>(
    `query($id: ID!, $range: String!) { metricsHistory(instanceId: $id, range: $range) {
       buckets { start cpu { mean p95 count } net { mean p95 count } } } }`,
    { id: node.id, range },
  );
  return dataOf(answer).metricsHistory.buckets.filter(({ cpu }) => cpu);
}

/** By nearest rank. */
function exact(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.ceil(0.95 * values.length) - 1]!;
}

const sorted = (sketch: Sketch) => sketch.toSorted(([a], [b]) => a - b);

function isNear(found: number | null, truth: number): boolean {
  return found !== null && Math.abs(found - truth) <= 0.0201 * truth + 0.001;
}

const value = fc.oneof(
  fc.double({ min: 0, max: 100, noNaN: true }),
  fc.double({ min: 0, max: 1e17, noNaN: true }),
  fc.constantFrom(0, 0.0009, 0.001, 1, 100),
);

test('sketches put together are the sketch of all the values, and tell their percentile within 2 %', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(value, { minLength: 1, maxLength: 40 }), { minLength: 1, maxLength: 8 }),
      async (chunks) => {
        const [row] = await panel.sql<{ whole: Sketch; merged: Sketch; behind: Sketch }>(
          `with chunk as (
             select fleet.sketch(array(select v::float8 from jsonb_array_elements_text(c) v)) as sketch
             from jsonb_array_elements($1::jsonb) c
           )
           select fleet.sketch(array(select v::float8 from jsonb_array_elements_text($2::jsonb) v)) as whole,
             fleet.merged_sketch(fleet.concatenated(sketch)) as merged, fleet.concatenated(sketch) as behind
           from chunk`,
          [JSON.stringify(chunks), JSON.stringify(chunks.flat())],
        );
        const { whole, merged, behind } = row!;
        expect(sorted(merged)).toEqual(sorted(whole));
        const values = chunks.flat();
        const found = p95Of(merged, values.length);
        expect(p95Of(behind, values.length)).toBe(found);
        expect([found, exact(values)]).toSatisfy(([a, b]: [number, number]) => isNear(a, b));
      },
    ),
    { numRuns: 200 },
  );
});

/** Replays a reading of each 30 seconds of the last 26 hours, whose CPU and network go up and down. */
async function busyDay(node: Node): Promise<{ at: number; cpu: number; rate: number }[]> {
  const length = 26 * hour;
  let bytes = 0;
  const readings = Array.from({ length: length / 30 }, (_, index) => {
    const rate = 1_000 * (1 + ((index * 7919) % 97));
    bytes += rate * 30;
    return { at: nowSeconds() - length + index * 30, cpu: (index * 31) % 101, rate, bytes };
  }).filter(({ at }) => at > nowSeconds() - 23.9 * hour);
  for (let at = 0; at < readings.length; at += 400) {
    const samples = readings.slice(at, at + 400).map((reading) => ({
      timestamp: new Date(reading.at * 1000).toISOString(),
      cpu_percent: reading.cpu,
      memory_percent: 50,
      disk_percent: 25,
      net_rx_bytes: reading.bytes,
      net_tx_bytes: 0,
    }));
    expect((await node.beat({ samples, cpu_percent: 0 })).status).toBe(200);
  }
  return readings;
}

test('the percentile of samples is exact, and that of rollups within 2 % of it, before they are made and after', async () => {
  const tenant = await panel.world.tenant();
  const node = await tenant.node();
  const readings = await busyDay(node);
  // The first bucket begins before the readings, and in the newest are the beats that brought them.
  const whole = (buckets: Bucket[]) => buckets.slice(1, -1);
  const truth = (start: string, seconds: number) => {
    const from = new Date(start).getTime() / 1000;
    const within = readings.filter(({ at }) => at >= from && at < from + seconds);
    return { cpu: exact(within.map(({ cpu }) => cpu)), net: exact(within.map(({ rate }) => rate)) };
  };
  const raw = whole(await bucketsOf(tenant, node, '6h'));
  expect(raw.length).toBeGreaterThan(300);
  expect(raw.map(({ cpu, net }) => [cpu?.p95, net?.p95])).toEqual(
    raw.map(({ start }) => Object.values(truth(start, 60))),
  );
  const hourly = whole(await bucketsOf(tenant, node, '24h'));
  expect(hourly.length).toBeGreaterThan(20);
  for (const { start, cpu, net } of hourly) {
    const { cpu: ofCpu, net: ofNet } = truth(start, hour);
    expect([start, cpu!.p95, ofCpu]).toSatisfy(([, a, b]: [string, number, number]) => isNear(a, b));
    expect([start, net!.p95, ofNet]).toSatisfy(([, a, b]: [string, number, number]) => isNear(a, b));
  }
  const daily = await bucketsOf(tenant, node, '3mo');
  await rollUp();
  expect(whole(await bucketsOf(tenant, node, '24h'))).toEqual(hourly);
  expect(await bucketsOf(tenant, node, '3mo')).toEqual(daily);
  // Days, of which one has all its hours' sketches put together.
  expect(daily.length).toBe(2);
  const yesterday = truth(daily[0]!.start, day);
  expect([daily[0]!.cpu!.p95, yesterday.cpu]).toSatisfy(([a, b]: [number, number]) => isNear(a, b));
});

test('a bucket with rollups from before there were percentiles tells none', async () => {
  const tenant = await panel.world.tenant();
  const node = await tenant.node();
  const storeHour = async (ago: number, sketch: string | null) =>
    panel.sql(
      `insert into fleet.metrics_hourly (tenant_id, instance_id, hour, samples, cpu_sum, cpu_min, cpu_max, memory_sum,
         memory_min, memory_max, disk_sum, disk_min, disk_max, net_count, cpu_sketch)
       values ($1, $2, $3, 1, 50, 50, 50, 50, 50, 50, 50, 50, 50, 0, $4::smallint[])`,
      [tenant.id, node.id, new Date((Math.floor(nowSeconds() / hour) * hour - ago) * 1000), sketch],
    );
  const even = Math.floor(nowSeconds() / hour) % 2 === 0 ? 0 : hour;
  await storeHour(240 * hour + even, '{{98,1}}');
  await storeHour(239 * hour + even, null);
  await storeHour(100 * hour + even, '{{98,1}}');
  const buckets = await bucketsOf(tenant, node, '30d');
  expect(buckets.map(({ cpu }) => cpu)).toEqual([
    { mean: 50, p95: null, count: 2 },
    { mean: 50, p95: 50, count: 1 },
  ]);
});

test('any number of values that are alike, and what is no number, are told of', async () => {
  const [row] = await panel.sql<Record<'many' | 'merged' | 'odd', Sketch>>(
    `select fleet.sketch(array_fill(40::float8, array[100000])) as many,
       fleet.merged_sketch(fleet.concatenated(s)) as merged,
       fleet.sketch('{NaN,Infinity,-Infinity,-1,5e-324,1.7e308}') as odd
     from (select fleet.sketch(array_fill(40::float8, array[30000])) as s from generate_series(1, 3)) part`,
    [],
  );
  const { many, merged, odd } = row!;
  expect(isNear(p95Of(many, 100_000), 40)).toBe(true);
  expect(isNear(p95Of(merged, 90_000), 40)).toBe(true);
  expect(odd.reduce((sum, [, size]) => sum + size, 0)).toBe(6);
});
