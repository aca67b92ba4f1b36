import { mkdir, mkdtemp, rm, statfs, symlink, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';

import { expect, onTestFinished, test, vi } from 'vitest';

import { demoFleet } from '#agent/fleet.js';
import { busyPercent, CpuMeter, linuxCpuTime } from '#agent/metrics/cpu.js';
import { countersOf, TrafficMeter } from '#agent/metrics/network.js';
import { Probes } from '#agent/metrics/probes.js';
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
    expect(Math.abs((cpuPercent ?? NaN) - 35.2)).toBeLessThanOrEqual(12);
    expect(Math.abs((memoryPercent ?? NaN) - 62.1)).toBeLessThanOrEqual(4.05);
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

const statOf = (...ticks: number[]) => linuxCpuTime(`cpu  ${ticks.join(' ')}\ncpu0 9 9 9 9 9 9 9 9 9 9\n`);

// user, nice, system, idle, waiting for disks, irq, softirq, stolen, guest, nice guest
test.for([
  ['waits for disks is not busy', [100, 0, 0, 100, 800, 0, 0, 0, 0, 0], 10],
  ['serves interrupts of its network is', [0, 0, 100, 500, 0, 0, 400, 0, 0, 0], 50],
  ['is held up by its hypervisor is', [100, 0, 0, 700, 0, 0, 0, 200, 0, 0], 30],
  ['runs guests counts them once', [500, 0, 0, 500, 0, 0, 0, 0, 500, 0], 50],
] as const)('a machine that %s', ([, ticks, busy]) => {
  const before = statOf(1, 2, 3, 4, 5, 6, 7, 8, 9, 10);
  const after = statOf(...ticks.map((spent, at) => spent + at + 1));
  expect(busyPercent(before, after)).toBeCloseTo(busy, 9);
});

test('the CPU in use is that since the last reading, also when the clock was set back by hours, and none where no time is told', async () => {
  const now = vi.spyOn(Date, 'now').mockReturnValue(Date.now());
  onTestFinished(() => now.mockRestore());
  const times = [
    { total: 1_000, idle: 500 },
    { total: 2_000, idle: 1_400 },
    { total: 3_000, idle: 1_600 },
    { total: 3_000, idle: 1_600 },
    // The kernel takes some of the waiting back.
    { total: 3_100, idle: 1_590 },
  ];
  const meter = new CpuMeter(async () => times.shift()!);
  const first = await meter.percent();
  now.mockReturnValue(Date.now() - 5 * 3_600_000);
  expect([first, await meter.percent()]).toEqual([10, 80]);
  await expect(meter.percent()).rejects.toThrow('no CPU time has passed');
  expect(await meter.percent()).toBe(100);
});

test('an interface that comes, goes or begins anew is no traffic, and what passes a bridge is not counted twice', async () => {
  const root = await mkdtemp(path.join(os.tmpdir(), 'quazzar-net-'));
  onTestFinished(async () => rm(root, { recursive: true, force: true }));
  const set = async (name: string, received: number, isPhysical = true) => {
    const folder = path.join(root, 'sys/class/net', name);
    await mkdir(path.join(folder, 'statistics'), { recursive: true });
    await writeFile(path.join(folder, 'statistics/rx_bytes'), `${received}\n`);
    await writeFile(path.join(folder, 'statistics/tx_bytes'), `${2 * received}\n`);
    if (isPhysical) await symlink(root, path.join(folder, 'device')).catch(() => undefined);
  };
  const meter = new TrafficMeter(async () => countersOf(root));
  const seen: number[] = [];
  const look = async () => {
    const { received, sent } = await meter.traffic();
    expect(sent).toBe(2 * received);
    seen.push(received);
  };
  await set('eth0', 1_000);
  await set('br0', 1_000, false);
  await look();
  await set('eth0', 1_500);
  await look();
  // A card with a past is plugged in, moves some, and is taken out again.
  await set('eth1', 500_000_000_000);
  await look();
  await set('eth1', 500_000_000_070);
  await look();
  await rm(path.join(root, 'sys/class/net/eth1'), { recursive: true });
  await look();
  await set('eth0', 40);
  await look();
  expect(seen).toEqual([1_000, 1_500, 1_500, 1_570, 1_570, 1_610]);
});

test('a figure that hangs is none, and is not asked for again before it has answered', async () => {
  const probes = new Probes(5);
  let asked = 0;
  let answer = () => {};
  const read = async () => {
    asked += 1;
    await new Promise<void>((resolve) => (answer = resolve));
    return asked;
  };
  const reasons: string[] = [];
  const ask = async () => probes.ask('storage', read, (reason) => reasons.push(reason));
  expect([await ask(), await ask(), await ask(), asked]).toEqual([undefined, undefined, undefined, 1]);
  expect(reasons).toEqual([
    'storage: no answer within 0.005 s',
    'storage: no answer yet to what was asked before',
    'storage: no answer yet to what was asked before',
  ]);
  answer();
  await vi.waitFor(async () => {
    const again = ask();
    answer();
    expect(await again).toBe(2);
  });
});
