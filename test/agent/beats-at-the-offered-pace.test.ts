import { expect, test } from 'vitest';

import { Backoff, jittered, parseRetryAfter, politeDelay } from '#agent/pace.js';
import { seededRandom } from '#agent/random.js';

import { TestNode } from './support/node.js';

test('a beat says what the contract asks for', async () => {
  const node = await TestNode.create({
    metrics: {
      collect: async () => ({
        cpuPercent: 35.2,
        memoryPercent: 62.1,
        diskPercent: 48.3,
        appsCount: 12,
        cpuCores: 8,
        memoryGb: 32,
        netRxBytes: 5e9,
        netTxBytes: 3e9,
        loadAverage: 2.8,
        uptimeSeconds: 864_000,
        storageUsedGb: 12.4,
        health: [{ component: 'backup', status: 'degraded', message: 'Last backup is 26 h old' }],
        facts: { os: 'Cloud OS' },
      }),
    },
  });
  await node.start();
  await node.steps(2);

  const [first, second] = node.panel.beats.map(({ body }) => body);
  expect(first).toEqual({
    cpu_percent: 35.2,
    memory_percent: 62.1,
    disk_percent: 48.3,
    apps_count: 12,
    cpu_cores: 8,
    memory_gb: 32,
    net_rx_bytes: 5e9,
    net_tx_bytes: 3e9,
    load_average: 2.8,
    uptime_seconds: 864_000,
    storage_used_gb: 12.4,
    version: '0.2.9',
    health: [{ component: 'backup', status: 'degraded', message: 'Last backup is 26 h old' }],
    facts: { os: 'Cloud OS' },
    sequence: 1,
    sent_at: '2026-05-01T12:00:15.000Z',
  });
  // Facts are told until they have been acknowledged once.
  expect(second).not.toHaveProperty('facts');
});

test('the first beat comes within the interval, the others at the interval last offered', async () => {
  const node = await TestNode.create();
  node.panel.heartbeatSeconds = 60;
  await node.start();
  node.panel.script('heartbeat', node.panel.accepting(), node.panel.accepting({ heartbeat_seconds: 10 }));

  node.panel.heartbeatSeconds = 10;
  expect(await node.steps(4)).toEqual([30_000, 60_000, 10_000, 10_000]);
});

test('a demo may ask for an early first beat', async () => {
  const node = await TestNode.create({ firstBeatWithinMs: 400 });
  await node.start();
  expect(await node.step()).toBe(200);
});

test('an absurd interval is held between a second and an hour', async () => {
  const node = await TestNode.create();
  node.panel.script('enroll', {
    status: 201,
    body: { instance_id: 'i', credential: 'c', heartbeat_seconds: 0.001 },
  });
  await node.start();
  node.panel.script(
    'heartbeat',
    node.panel.accepting({ heartbeat_seconds: 0.001 }),
    node.panel.accepting({ heartbeat_seconds: 1e9 }),
  );
  expect(await node.steps(3)).toEqual([500, 1_000, 3_600_000]);
});

test('the pace of beats stays within a tenth of the interval', async () => {
  const random = seededRandom('pace');
  const node = await TestNode.create({ random });
  await node.start();
  const [first, ...others] = await node.steps(40);

  expect(first).toBeLessThan(30_000);
  expect(Math.min(...others)).toBeGreaterThanOrEqual(27_000);
  expect(Math.max(...others)).toBeLessThanOrEqual(33_000);
  expect(Math.max(...others) - Math.min(...others)).toBeGreaterThan(3_000);
  expect([jittered(100, () => 0), jittered(100, () => 1)].map(Math.round)).toEqual([90, 110]);
});

test('there are never two beats in flight', async () => {
  const node = await TestNode.create();
  await node.start();
  await node.steps(10);
  expect(new Set(node.panel.overlaps)).toEqual(new Set([1]));
});

test.each([
  ['seconds', '120', 0],
  ['a date', 'Fri, 01 May 2026 12:02:15 GMT', 0],
  ["a date, by a clock that is three hours behind the panel's", 'Fri, 01 May 2026 12:02:15 GMT', -3],
  ["a date, by a clock that is three hours ahead of the panel's", 'Fri, 01 May 2026 12:02:15 GMT', 3],
])('Retry-After in %s is honoured', async (_, value, hours) => {
  const node = await TestNode.create();
  node.clock.set(hours * 3_600_000);
  await node.start();
  node.panel.script('heartbeat', {
    status: 429,
    headers: { 'retry-after': value, date: 'Fri, 01 May 2026 12:00:15 GMT' },
    body: { error: 'Slow down' },
  });
  await node.step();
  const [beforeRetry, waits] = [node.panel.beats.length, await node.steps(4)];

  // Readings go on at 30 s meanwhile; the next call comes at 120 s and the tenth allowed on top, halved by luck.
  expect(waits).toEqual([30_000, 30_000, 30_000, 30_000]);
  expect(node.panel.beats).toHaveLength(beforeRetry);
  expect(await node.step()).toBe(6_000);
  expect(node.panel.beats).toHaveLength(beforeRetry + 1);
  expect(node.panel.beats.at(-1)?.body['samples']).toHaveLength(5);
});

test('failures back off to five minutes and a success forgets them', async () => {
  const backoff = new Backoff(() => 1);
  const waits = Array.from({ length: 11 }, () => backoff.next());
  backoff.reset();
  expect(waits).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300].map((seconds) => seconds * 1000));
  expect(backoff.next()).toBe(1_000);
});

test('a Retry-After that makes no sense is none, and one of zero still means a second', () => {
  const now = new Date('2026-05-01T12:00:00Z');
  expect(parseRetryAfter(null, now)).toBeUndefined();
  expect(parseRetryAfter('soon', now)).toBeUndefined();
  expect(parseRetryAfter('Fri, 01 May 2026 11:00:00 GMT', now)).toBe(0);
  expect(politeDelay(0, () => 0)).toBe(1_000);
});
