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
// 20:00, so that four hours of samples reach into the next day.
const start = Date.parse('2026-03-10T20:00:00Z');

interface Reading {
  at: number;
  cpu: number;
  rx: number;
  tx: number;
}

interface Bucket {
  samples: number;
  cpu_sum: number;
  cpu_min: number;
  cpu_max: number;
  net_count: number;
  net_sum: number | null;
  net_min: number | null;
  net_max: number | null;
}

/** Delivers readings with one beat. A late one has a reading of its own time as well, which is the answer. */
async function deliver(
  instance: StoredInstance,
  at: number,
  readings: readonly Reading[],
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
    timestamp: new Date(reading.at),
    ...measured(reading),
  }));
  const isLive = Math.abs(at - last!.at) < 20_000;
  const [outcome] = await ingest.store([
    receivedBeat(instance, new Date(at), {
      ...measured(last!),
      samples,
      ...(isLive ? { sentAt: new Date(last!.at) } : {}),
    }),
  ]);
  expect(outcome).toEqual({ answer: undefined });
  return isLive ? [] : [{ ...last!, at }];
}

async function buckets(
  { id }: StoredInstance,
  table: 'metrics_hourly' | 'metrics_daily',
  key: 'hour' | 'day',
): Promise<Record<string, Bucket>> {
  const rows = await store.sql<Bucket & { key: Date }>(
    `select ${key} as key, samples, cpu_sum, cpu_min, cpu_max, net_count, net_sum, net_min, net_max
     from fleet.${table} where instance_id = $1 order by 1`,
    [id],
  );
  return Object.fromEntries(rows.map(({ key: time, ...bucket }) => [time.toISOString(), rounded(bucket)]));
}

/** Sums of floats depend a little on their order. */
function rounded(bucket: Bucket): Bucket {
  return Object.fromEntries(
    Object.entries(bucket).map(([name, value]) => [
      name,
      value === null ? null : Number(Number(value).toPrecision(9)),
    ]),
  ) as unknown as Bucket;
}

/** The same worked out from the readings in memory. */
function expected(readings: readonly Reading[], length: number): Record<string, Bucket> {
  // Of two readings with the same time the first one counts.
  const byTime = new Map(readings.toReversed().map((reading) => [reading.at, reading]));
  const ordered = [...byTime.values()].toSorted((a, b) => a.at - b.at);
  const found: Record<string, Bucket> = {};
  for (const [index, { at, cpu, rx, tx }] of ordered.entries()) {
    const before = ordered[index - 1];
    const seconds = before ? (at - before.at) / 1000 : Infinity;
    const isTold = before && seconds <= 600 && rx >= before.rx && tx >= before.tx;
    const net = isTold ? (rx - before.rx + tx - before.tx) / seconds : null;
    const key = new Date(Math.floor(at / length) * length).toISOString();
    const bucket = (found[key] ??= {
      samples: 0,
      cpu_sum: 0,
      cpu_min: Infinity,
      cpu_max: -Infinity,
      net_count: 0,
      net_sum: null,
      net_min: null,
      net_max: null,
    });
    bucket.samples += 1;
    bucket.cpu_sum += cpu;
    bucket.cpu_min = Math.min(bucket.cpu_min, cpu);
    bucket.cpu_max = Math.max(bucket.cpu_max, cpu);
    if (net !== null) {
      bucket.net_count += 1;
      bucket.net_sum = (bucket.net_sum ?? 0) + net;
      bucket.net_min = Math.min(bucket.net_min ?? Infinity, net);
      bucket.net_max = Math.max(bucket.net_max ?? -Infinity, net);
    }
  }
  return Object.fromEntries(Object.entries(found).map(([key, bucket]) => [key, rounded(bucket)]));
}

const steps = fc.array(
  fc.record({
    // Now and then a gap: with a rate over it, and without one.
    gap: fc.oneof(
      { weight: 8, arbitrary: fc.integer({ min: 15, max: 300 }) },
      fc.constantFrom(590, 600, 601, 4_000),
    ),
    cpu: fc.integer({ min: 0, max: 100 }),
    rx: fc.integer({ min: 0, max: 10_000 }),
    isReset: fc.boolean(),
  }),
  { minLength: 3, maxLength: 60 },
);

function readingsOf(list: readonly { gap: number; cpu: number; rx: number; isReset: boolean }[]): Reading[] {
  let at = start;
  let rx = 5_000;
  return list
    .map((step) => {
      at += step.gap * 1000;
      rx = step.isReset && step.cpu > 80 ? step.rx : rx + step.rx;
      return { at, cpu: step.cpu, rx, tx: rx * 2 };
    })
    .filter((reading) => reading.at < start + 10 * hour);
}

test('shuffled, late and duplicated samples give the same buckets as ordered ones', async () => {
  await fc.assert(
    fc.asyncProperty(steps, fc.infiniteStream(fc.nat({ max: 1_000 })), async (list, luck) => {
      const readings = readingsOf(list);
      const next = () => luck.next().value;
      const ordered = await store.instance();
      for (const reading of readings) await deliver(ordered, reading.at + 100, [reading]);

      const shuffled = await store.instance(ordered.tenantId);
      const deck = [...readings, ...readings.filter(() => next() < 300)]
        .map((reading) => ({ reading, order: next() }))
        .toSorted((a, b) => a.order - b.order)
        .map(({ reading }) => reading);
      let now = start + 11 * hour;
      const all = [...readings];
      while (deck.length > 0) {
        all.push(...(await deliver(shuffled, now, deck.splice(0, 1 + (next() % 7)))));
        now += (next() % 20) * minute;
        if (next() < 400) await runSweep(store.database, rollup, new Date(now));
      }
      await runSweep(store.database, rollup, new Date(start + 3 * day));

      expect(await buckets(ordered, 'metrics_hourly', 'hour')).toEqual(expected(readings, hour));
      expect(await buckets(shuffled, 'metrics_hourly', 'hour')).toEqual(expected(all, hour));
      // Daily buckets, which are made from hourly ones, equal those made from the readings.
      expect(await buckets(ordered, 'metrics_daily', 'day')).toEqual(expected(readings, day));
      expect(await buckets(shuffled, 'metrics_daily', 'day')).toEqual(expected(all, day));
    }),
    { numRuns: 25 },
  );
}, 60_000);

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
