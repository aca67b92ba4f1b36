import 'reflect-metadata';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { silentLogger } from '#platform/logger.js';
import { HeartbeatIngest } from '#subgraphs/fleet/heartbeat/ingest.job.js';
import { partitionSweep, retentionSweep, rollupSweep } from '#subgraphs/fleet/metrics/metrics.job.js';

import {
  openFleetStore,
  receivedBeat,
  runSweep,
  type FleetStore,
  type StoredInstance,
} from '../../support/fleet-store.js';
import {
  expected,
  off,
  readingsOf,
  rounded,
  start,
  steps,
  type Bucket,
  type Reading,
} from './support/readings.js';

let store: FleetStore;
let ingest: HeartbeatIngest;
beforeAll(async () => {
  store = await openFleetStore();
  ingest = new HeartbeatIngest(store.database, clock, 30);
});
afterAll(async () => {
  await ingest.stop();
  await store.stop();
});

const clock = { at: 0, now: () => new Date(clock.at), delay: async () => undefined };

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const rollup = rollupSweep(30, silentLogger);

/**
 * Delivers readings, taken by the panel's time, with one beat of a node whose clock is off by `skew` and whose beats take
 * `delay` to come. A late one has a reading of its own time as well, which is the answer.
 */
async function deliver(
  instance: StoredInstance,
  at: number,
  readings: readonly Reading[],
  { skew = 0, delay = 0 } = {},
): Promise<Reading[]> {
  clock.at = at;
  const [last, ...older] = readings.toReversed();
  const measured = ({ cpu, rx, tx }: Reading) => ({
    cpuPercent: cpu,
    memoryPercent: 50,
    diskPercent: 50,
    netRxBytes: rx,
    netTxBytes: tx,
  });
  const samples = [last!, ...older].map((reading) => ({
    timestamp: new Date(reading.at + skew),
    ...measured(reading),
  }));
  const isLive = Math.abs(at - last!.at) < 20_000;
  const own = isLive ? last!.at : at;
  const [outcome] = await ingest.store([
    receivedBeat(instance, new Date(at + delay), {
      ...measured(last!),
      samples,
      sentAt: new Date(own + skew),
    }),
  ]);
  expect(outcome).toEqual({ answer: undefined });
  return isLive ? [] : [{ ...last!, at: own }];
}

async function buckets(
  { id }: StoredInstance,
  table: 'metrics_hourly' | 'metrics_daily',
  key: 'hour' | 'day',
): Promise<Record<string, Bucket>> {
  const rows = await store.sql<Bucket & { key: Date }>(
    `select ${key} as key, samples, cpu_sum, cpu_min, cpu_max, net_count, net_sum, net_min, net_max
     from fleet.${table} where instance_id = $1 and ${key} > $2 order by 1`,
    [id, new Date(start - day)],
  );
  return Object.fromEntries(rows.map(({ key: time, ...bucket }) => [time.toISOString(), rounded(bucket)]));
}

/** An instance whose clock was off so since days ago, and how far from the panel's time its samples are stored. */
async function settled(skew: number): Promise<{ instance: StoredInstance; rest: number }> {
  const instance = await store.instance();
  for (const [at, delay] of [
    [start - 3 * day, 400],
    [start - 3 * day + minute, 0],
  ] as const) {
    await deliver(instance, at, [{ at, cpu: 1, rx: 0, tx: 0 }], { skew, delay });
  }
  const [row] = await store.sql<{ shift: number }>(
    'select clock_shift_seconds as shift from fleet.instance where id = $1',
    [instance.id],
  );
  return { instance, rest: skew - row!.shift * 1000 };
}

test('shuffled, late and duplicated samples give the same buckets as ordered ones, whatever the clock and the way', async () => {
  await fc.assert(
    fc.asyncProperty(
      steps,
      off,
      fc.infiniteStream(fc.nat({ max: 1_000 })),
      async (list, { skew, delays }, luck) => {
        const readings = readingsOf(list);
        const next = () => luck.next().value;
        const way = () => ({ skew, delay: delays[next() % delays.length]! });
        const ordered = await settled(skew);
        for (const reading of readings) await deliver(ordered.instance, reading.at + 100, [reading], way());

        const shuffled = await settled(skew);
        const deck = [...readings, ...readings.filter(() => next() < 300)]
          .map((reading) => ({ reading, order: next() }))
          .toSorted((a, b) => a.order - b.order)
          .map(({ reading }) => reading);
        let now = start + 11 * hour;
        const all = [...readings];
        while (deck.length > 0) {
          all.push(...(await deliver(shuffled.instance, now, deck.splice(0, 1 + (next() % 7)), way())));
          now += (next() % 20) * minute;
          if (next() < 400) await runSweep(store.database, rollup, new Date(now));
        }
        await runSweep(store.database, rollup, new Date(start + 3 * day));

        expect(Math.abs(ordered.rest)).toBeLessThanOrEqual(31_000);
        for (const [{ instance, rest }, taken] of [
          [ordered, readings],
          [shuffled, all],
        ] as const) {
          const stored = taken.map((reading) => ({ ...reading, at: reading.at + rest }));
          expect(await buckets(instance, 'metrics_hourly', 'hour')).toEqual(expected(stored, hour));
          // Daily buckets, which are made from hourly ones, equal those made from the readings.
          expect(await buckets(instance, 'metrics_daily', 'day')).toEqual(expected(stored, day));
        }
      },
    ),
    { numRuns: 25 },
  );
}, 120_000);

test('an hour is rolled up when it is over, and again when a late sample comes', async () => {
  const instance = await store.instance();
  const reading = (at: number, cpu: number) => ({ at, cpu, rx: 0, tx: 0 });
  await deliver(instance, start + minute, [reading(start + minute, 10)]);
  await runSweep(store.database, rollup, new Date(start + 59 * minute));
  expect(await buckets(instance, 'metrics_hourly', 'hour')).toEqual({});
  await runSweep(store.database, rollup, new Date(start + hour + 4 * minute));
  expect(await buckets(instance, 'metrics_hourly', 'hour')).toEqual({});
  await runSweep(store.database, rollup, new Date(start + hour + 5 * minute));
  expect(await buckets(instance, 'metrics_hourly', 'hour')).toMatchObject({
    '2026-03-10T20:00:00.000Z': { samples: 1, cpu_sum: 10 },
  });
  await deliver(instance, start + 3 * hour, [reading(start + 2 * minute, 30)]);
  await runSweep(store.database, rollup, new Date(start + 5 * hour));
  expect(await buckets(instance, 'metrics_hourly', 'hour')).toMatchObject({
    '2026-03-10T20:00:00.000Z': { samples: 2, cpu_sum: 40, cpu_min: 10, cpu_max: 30 },
  });
  expect(await buckets(instance, 'metrics_daily', 'day')).toMatchObject({
    // With the reading of the beat that brought the late sample.
    '2026-03-10T00:00:00.000Z': { samples: 3, cpu_sum: 70 },
  });
});

test('raw samples are dropped after two days but not before they are rolled up, and their rollups stay', async () => {
  const instance = await store.instance();
  const at = Date.parse('2026-04-01T10:00:00Z');
  await deliver(instance, at, [{ at, cpu: 42, rx: 0, tx: 0 }]);
  const raw = async () => {
    const [row] = await store.sql<{ count: number }>(
      'select count(*)::int as count from fleet.metrics_sample where instance_id = $1',
      [instance.id],
    );
    return row!.count;
  };
  await runSweep(store.database, retentionSweep, new Date(at + 10 * day));
  expect(await raw(), 'not rolled up yet').toBe(1);
  await runSweep(store.database, rollup, new Date(at + 2 * hour));
  await runSweep(store.database, retentionSweep, new Date(at + 2 * day - 11 * hour));
  expect(await raw(), 'not two days old').toBe(1);
  await runSweep(store.database, retentionSweep, new Date(at + 3 * day));
  expect(await raw()).toBe(0);

  const before = await buckets(instance, 'metrics_hourly', 'hour');
  expect(Object.values(before)).toMatchObject([{ samples: 1, cpu_sum: 42 }]);
  // A refresh of what has no samples any more must not erase it.
  await store.sql('insert into fleet.metrics_dirty (tenant_id, instance_id, hour) values ($1, $2, $3)', [
    instance.tenantId,
    instance.id,
    new Date(at),
  ]);
  await runSweep(store.database, rollup, new Date(at + 4 * day));
  expect(await buckets(instance, 'metrics_hourly', 'hour')).toEqual(before);
});

test('partitions are made ahead, samples that came before theirs move into it, and old ones are dropped', async () => {
  const instance = await store.instance();
  const now = Date.parse('2026-05-10T12:00:00Z');
  // Those of these days, which each database of a test has.
  await store.sql(`select fleet.drop_partitions('metrics_sample', '2200-01-01')`);
  await deliver(instance, now, [{ at: now, cpu: 7, rx: 0, tx: 0 }]);
  const where = async () => {
    const rows = await store.sql<{ name: string }>(
      `select tableoid::regclass::text as name from fleet.metrics_sample where instance_id = $1`,
      [instance.id],
    );
    return rows.map(({ name }) => name);
  };
  expect(await where()).toEqual(['fleet.metrics_sample_default']);
  await runSweep(store.database, partitionSweep, new Date(now));
  expect(await where()).toEqual(['fleet.metrics_sample_20260510']);
  const partitions = async () => {
    const rows = await store.sql<{ name: string }>(
      `select inhrelid::regclass::text as name from pg_inherits
       where inhparent = 'fleet.metrics_sample'::regclass order by 1`,
    );
    return rows.map(({ name }) => name.replace('fleet.metrics_sample_', ''));
  };
  expect(await partitions()).toEqual(['20260509', '20260510', '20260511', '20260512', 'default']);
  await runSweep(store.database, partitionSweep, new Date(now + day));
  await runSweep(store.database, rollup, new Date(now + 30 * day));
  await runSweep(store.database, retentionSweep, new Date(now + 3 * day));
  expect(await partitions()).toEqual(['20260511', '20260512', '20260513', 'default']);
});

test('a sample older than a day or ahead of time is not taken, and its beat is', async () => {
  const instance = await store.instance();
  const now = Date.parse('2026-06-01T12:00:00Z');
  const odd = (at: number) => ({ at, cpu: 99, rx: 0, tx: 0 });
  await deliver(instance, now, [odd(now - day - 1), odd(now - day + minute), odd(now + 2 * minute)]);
  const rows = await store.sql<{ at: Date }>(
    'select at from fleet.metrics_sample where instance_id = $1 order by at',
    [instance.id],
  );
  expect(rows.map(({ at }) => at.getTime())).toEqual([now - day + minute, now]);
});
