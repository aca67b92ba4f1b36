import { statfs } from 'node:fs/promises';

import { expect, test } from 'vitest';

import { demoFleet } from '#agent/fleet.js';
import { simulatedMetrics, type SimulatedProfile } from '#agent/metrics/simulated.js';
import { systemMetrics } from '#agent/metrics/system.js';

import { HandClock } from './support/hand-clock.js';

const [profile] = demoFleet as [SimulatedProfile];

async function readings(count: number, clock = new HandClock()) {
  const source = simulatedMetrics(profile, { clock });
  const taken = [];
  for (let done = 0; done < count; done += 1) {
    taken.push(await source.collect());
    const slept = clock.delay(30_000);
    await clock.wake();
    await slept;
  }
  return taken;
}

test('the demo fleet adds up to the published summary', () => {
  const sum = (of: (node: SimulatedProfile) => number) =>
    demoFleet.reduce((total, node) => total + of(node), 0);
  const degraded = demoFleet.filter(({ health }) => health?.some(({ status }) => status !== 'healthy'));
  expect({
    total_instances: new Set(demoFleet.map(({ name }) => name)).size,
    hostnames: new Set(demoFleet.map(({ hostname }) => hostname)).size,
    degraded: degraded.map(({ name }) => name),
    total_apps: sum(({ appsCount }) => appsCount),
    total_cpu_cores: sum(({ cpuCores }) => cpuCores),
    total_memory_gb: sum(({ memoryGb }) => memoryGb),
    storage_used_gb: Math.round(sum(({ storageUsedGb = 0 }) => storageUsedGb) * 10) / 10,
  }).toEqual({
    total_instances: 8,
    hostnames: 8,
    degraded: ['backup-01'],
    total_apps: 45,
    total_cpu_cores: 32,
    total_memory_gb: 128,
    storage_used_gb: 42.3,
  });
  expect(demoFleet.slice(0, 2)).toMatchObject([
    {
      name: 'production-01',
      hostname: 'cloud.example.com',
      version: '0.2.9',
      appsCount: 12,
      cpuPercent: 35.2,
      memoryPercent: 62.1,
    },
    {
      name: 'staging-01',
      hostname: 'staging.example.com',
      version: '0.2.9',
      appsCount: 5,
      cpuPercent: 12.8,
      memoryPercent: 28.4,
    },
  ]);
});

test('a simulated node starts at its profile, wanders near it, and its counters only grow', async () => {
  const taken = await readings(500);
  expect(taken[0]).toMatchObject({ cpuPercent: 35.2, memoryPercent: 62.1, diskPercent: 48.3, appsCount: 12 });
  for (const [
    index,
    { cpuPercent, memoryPercent, netRxBytes = 0, netTxBytes = 0, uptimeSeconds = 0 },
  ] of taken.entries()) {
    expect(Math.abs(cpuPercent - 35.2)).toBeLessThanOrEqual(12);
    expect(Math.abs(memoryPercent - 62.1)).toBeLessThanOrEqual(4.05);
    const before = taken[index - 1];
    if (before === undefined) continue;
    expect(netRxBytes).toBeGreaterThan(before.netRxBytes ?? Infinity);
    expect(netTxBytes).toBeGreaterThan(before.netTxBytes ?? Infinity);
    expect(uptimeSeconds - (before.uptimeSeconds ?? 0)).toBe(30);
  }
  expect(new Set(taken.map(({ cpuPercent }) => cpuPercent)).size).toBeGreaterThan(50);
});

test('the same profile read at the same times gives the same figures', async () => {
  expect(await readings(50)).toEqual(await readings(50));
});

test('a component’s health can be overridden and given back', async () => {
  const source = simulatedMetrics(demoFleet.at(-1) ?? profile, { clock: new HandClock() });
  const health = async () => (await source.collect()).health;
  const stale = { component: 'backup', status: 'unhealthy', message: 'Last backup is 26 h old' };
  expect(await health()).toEqual([stale]);
  source.setHealth('backup', 'healthy');
  source.setHealth('disk', 'unhealthy', 'Read-only');
  expect(await health()).toEqual([
    { component: 'backup', status: 'healthy' },
    { component: 'disk', status: 'unhealthy', message: 'Read-only' },
  ]);
  source.clearHealth('backup');
  source.clearHealth('disk');
  expect(await health()).toEqual([stale]);
});

test('this machine’s figures are real', async () => {
  const source = systemMetrics();
  const first = await source.collect();
  const second = await source.collect();
  for (const percent of [second.cpuPercent, second.memoryPercent, second.diskPercent]) {
    expect(percent).toBeGreaterThanOrEqual(0);
    expect(percent).toBeLessThanOrEqual(100);
  }
  expect(second.diskPercent).toBeGreaterThan(0);
  expect(second.cpuCores).toBeGreaterThan(0);
  expect(second.memoryGb).toBeGreaterThan(0);
  expect(second.uptimeSeconds).toBeGreaterThan(0);
  expect(second.netRxBytes).toBeGreaterThanOrEqual(first.netRxBytes ?? Infinity);
  expect(Number.isInteger(second.appsCount)).toBe(true);
  expect(second.health).toEqual([{ component: 'agent', status: 'healthy' }]);
  // What of the disk is the apps', nobody has said.
  expect(second.storageUsedGb).toBeNull();
});

test('storage is what is used of the filesystem that apps keep their data on', async () => {
  const { bsize, blocks, bfree } = await statfs('/');
  const { storageUsedGb, health } = await systemMetrics({ appsPath: '/' }).collect();
  expect(health).toEqual([{ component: 'agent', status: 'healthy' }]);
  expect(storageUsedGb).toBeCloseTo(((blocks - bfree) * bsize) / 1024 ** 3, -1);
  const lost = await systemMetrics({ appsPath: '/not/there' }).collect();
  expect([lost.storageUsedGb, lost.health?.[0]?.status]).toEqual([undefined, 'degraded']);
});
