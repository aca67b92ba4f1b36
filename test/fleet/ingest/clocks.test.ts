import 'reflect-metadata';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { HeartbeatIngest } from '#subgraphs/fleet/heartbeat/ingest.job.js';
import { fleetUsageSweep } from '#subgraphs/fleet/usage/usage.job.js';

import { openFleetStore, receivedBeat, runSweep, type FleetStore } from '../../support/fleet-store.js';

let store: FleetStore;
let ingest: HeartbeatIngest;
const clock = { at: 0, now: () => new Date(clock.at), delay: async () => undefined };
beforeAll(async () => {
  store = await openFleetStore();
  ingest = new HeartbeatIngest(store.database, clock, 30);
});
afterAll(async () => {
  await ingest.stop();
  await store.stop();
});

const start = Date.parse('2026-03-10T20:00:00Z');
const second = 1_000;
const reading = { cpuPercent: 10, memoryPercent: 20, diskPercent: 30 };

/** A node whose clock is off by so many milliseconds. */
async function nodeWithSkew(initial: number) {
  const instance = await store.instance();
  let skewMs = initial;
  return {
    setClock(to: number) {
      skewMs = to;
    },
    /** Sends at the panel's time `at` what comes `latency` later; `replayed` are times of its clock. */
    async beat(at: number, latency = 0, more: { net?: number; replayed?: number[] } = {}): Promise<number> {
      clock.at = at + latency;
      const sentAt = at + skewMs;
      const counters = more.net === undefined ? {} : { netRxBytes: more.net, netTxBytes: 0 };
      const [outcome] = await ingest.store([
        receivedBeat(instance, new Date(clock.at), {
          sentAt: new Date(sentAt),
          ...counters,
          samples: (more.replayed ?? []).map((time) => ({ ...reading, timestamp: new Date(time) })),
        }),
      ]);
      expect(outcome).toEqual({ answer: undefined });
      return sentAt;
    },
    async stored(): Promise<number[]> {
      const rows = await store.sql<{ at: Date }>(
        'select at from fleet.metrics_sample where instance_id = $1 order by at',
        [instance.id],
      );
      return rows.map(({ at }) => at.getTime());
    },
    async rate(): Promise<number | null> {
      const [row] = await store.sql<{ rate: number | null }>(
        'select net_rx_bytes_per_second as rate from fleet.instance where id = $1',
        [instance.id],
      );
      return row!.rate;
    },
  };
}

test('a clock that is off by any time: each sample is stored once, in its pace, however long beats are on their way', async () => {
  const aroundSteps = fc
    .tuple(fc.constantFrom(-90, -60, -30, 0, 30, 45, 60, 600), fc.integer({ min: -150, max: 150 }))
    .map(([seconds, ms]) => seconds * second + ms);
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(aroundSteps, fc.integer({ min: -4_000_000, max: 4_000_000 })),
      fc.array(fc.integer({ min: 0, max: 400 }), { minLength: 3, maxLength: 8 }),
      async (skewMs, latencies) => {
        const node = await nodeWithSkew(skewMs);
        // The first beat of all finds the shift; from the second one on it stays.
        await node.beat(start - 60 * second, 400);
        await node.beat(start - 30 * second, 0);
        const sent: number[] = [];
        for (const [at, latency] of latencies.entries())
          sent.push(await node.beat(start + at * 30 * second, latency));
        const before = await node.stored();
        // The answers were lost, and all comes again with the next beat, and again with the one after it.
        for (const latency of [0, 400]) await node.beat(start + 3600 * second, latency, { replayed: sent });
        expect((await node.stored()).slice(0, -1)).toEqual(before);
        const steady = before.slice(-latencies.length);
        expect(steady.map((at) => at - steady[0]!)).toEqual(latencies.map((_, at) => at * 30 * second));
        expect(Math.abs(steady[0]! - start)).toBeLessThanOrEqual(31 * second);
      },
    ),
    { numRuns: 40 },
  );
});

test('a clock that is set right moves samples by whole steps, to where the panel has them', async () => {
  const node = await nodeWithSkew(3_600 * second);
  await node.beat(start);
  node.setClock(0);
  await node.beat(start + 30 * second, 40);
  node.setClock(-20 * second);
  await node.beat(start + 60 * second);
  expect(await node.stored()).toEqual([start, start + 30 * second, start + 40 * second]);
});

test.for([
  ['centuries ahead', 200 * 365.25 * 86_400],
  ['at the end of all dates', 8_640_000_000_000 - start / second],
  ['before the epoch', -100 * 365.25 * 86_400],
] as const)('a clock that is %s keeps nobody from beating', async ([, seconds]) => {
  const node = await nodeWithSkew(seconds * second);
  await node.beat(start, 200, { replayed: [start + seconds * second - 60 * second, -8.64e15] });
  const stored = await node.stored();
  expect(stored.map((at) => Math.abs(at - start) < 100 * second)).toEqual([true, true]);
  expect(stored[1]! - stored[0]!).toBe(60 * second);
});

test('a network rate counts the time between two readings, not between their arrivals', async () => {
  const node = await nodeWithSkew(0);
  await node.beat(start, 29_995, { net: 0 });
  await node.beat(start + 30 * second, 0, { net: 3_000_000 });
  expect(await node.rate()).toBe(100_000);
});

test('over a gap no network rate is told, and a clock that is set in between does not distort it', async () => {
  const node = await nodeWithSkew(0);
  await node.beat(start, 0, { net: 0 });
  await node.beat(start + 601 * second, 0, { net: 3_000_000 });
  expect(await node.rate()).toBeNull();
  node.setClock(300 * second);
  await node.beat(start + 631 * second, 0, { net: 6_000_000 });
  expect(await node.rate()).toBe(100_000);
});

test("what is used is told each hour again once the panel's clock, which was ahead, is put right", async () => {
  const { tenantId } = await store.instance();
  const hour = 3600 * second;
  const told = async (at: number) => {
    const due = fleetUsageSweep.due!.replace('?', '$1');
    const [asked] = await store.sql<{ isDue: boolean }>(`select exists (${due}) as "isDue"`, [new Date(at)]);
    if (!asked!.isDue) return 'not due';
    const events = await runSweep(store.database, fleetUsageSweep, new Date(at));
    return events.filter((event) => event.tenantId === tenantId).map(({ payload }) => payload);
  };
  const used = (at: number) => [{ hour: new Date(at).toISOString(), instances: 1, storageGb: 0 }];
  expect(await told(start + 720 * hour)).toEqual(used(start + 720 * hour));
  expect(await told(start)).toEqual(used(start));
  expect(await told(start + 1_000)).toEqual('not due');
  expect(await told(start + hour)).toEqual(used(start + hour));
  // A process whose clock is a little behind the one that told.
  expect(await told(start + hour - second)).toEqual('not due');
});
