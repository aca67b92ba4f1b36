import { readdir, realpath, statfs } from 'node:fs/promises';
import os from 'node:os';

import { currentLoad, mem, networkInterfaces, networkStats } from 'systeminformation';

import { countApps } from './apps.js';
import type { ComponentHealth, Metrics, MetricsSource } from './source.js';
import { systemFacts, type Facts } from './system-facts.js';

const gibibyte = 1024 ** 3;
/** Longer than any probe takes on a machine that is well; a hung one must not hold up the beat. */
const probeMs = 5_000;

type Probes = {
  cpuPercent: number;
  memory: { percent: number };
  disk: { percent: number };
  network: { received: number; sent: number };
  apps: { count: number; what: string };
  storageGb: number | undefined;
  facts: Facts;
};

export interface SystemMetricsOptions {
  /** Where apps keep their data, on a filesystem of its own. Without it nobody can tell what of a disk is theirs. */
  readonly appsPath?: string;
}

/**
 * The figures of the machine the agent runs on. A probe that fails repeats its last figure (at first 0) and reports
 * the component `agent` as degraded, so that one unreadable figure costs neither the beat nor the others.
 */
export function systemMetrics({ appsPath }: SystemMetricsOptions = {}): MetricsSource {
  const last: Probes = {
    cpuPercent: 0,
    memory: { percent: 0 },
    disk: { percent: 0 },
    network: { received: 0, sent: 0 },
    apps: { count: 0, what: 'none' },
    storageGb: undefined,
    facts: {},
  };

  return {
    async collect(): Promise<Metrics> {
      const failures: string[] = [];
      async function probe<Name extends keyof Probes>(name: Name, read: () => Promise<Probes[Name]>) {
        try {
          last[name] = await within(probeMs, read());
        } catch (error) {
          failures.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
        }
      }
      await Promise.all([
        probe('cpuPercent', cpuPercent),
        probe('memory', memory),
        probe('disk', disk),
        probe('network', network),
        probe('apps', countApps),
        ...(appsPath === undefined ? [] : [probe('storageGb', async () => usedGb(appsPath))]),
        probe('facts', () => systemFacts()),
      ]);
      return {
        cpuPercent: last.cpuPercent,
        memoryPercent: last.memory.percent,
        diskPercent: last.disk.percent,
        appsCount: last.apps.count,
        cpuCores: os.cpus().length || os.availableParallelism(),
        memoryGb: round(os.totalmem() / gibibyte, 2),
        netRxBytes: last.network.received,
        netTxBytes: last.network.sent,
        loadAverage: round(os.loadavg()[0] ?? 0, 2),
        uptimeSeconds: Math.floor(os.uptime()),
        storageUsedGb: appsPath === undefined ? null : last.storageGb,
        health: [agentHealth(failures)],
        facts: {
          ...last.facts,
          'apps.count': last.apps.count,
          'custom.apps_counted': last.apps.what,
        },
      };
    },
  };
}

function agentHealth(failures: readonly string[]): ComponentHealth {
  if (failures.length === 0) return { component: 'agent', status: 'healthy' };
  return {
    component: 'agent',
    status: 'degraded',
    message: `Not readable: ${failures.join('; ')}`.slice(0, 500).toWellFormed(),
  };
}

/** The mean since the last call, as systeminformation keeps the counters of the call before. */
async function cpuPercent(): Promise<number> {
  return percent((await currentLoad()).currentLoad);
}

/** What programs can still get counts as free, caches included. */
async function memory(): Promise<Probes['memory']> {
  const { total, available } = await mem();
  return { percent: percent((100 * (total - available)) / total) };
}

/** The root filesystem, counted as df does: what is kept for root is not free to anyone. No df: it can hang on NFS. */
async function disk(): Promise<Probes['disk']> {
  const { blocks, bfree, bavail } = await statfs('/');
  const used = blocks - bfree;
  return { percent: percent((100 * used) / (used + bavail)) };
}

async function usedGb(path: string): Promise<number> {
  const { bsize, blocks, bfree } = await statfs(path);
  return round(((blocks - bfree) * bsize) / gibibyte, 2);
}

async function network(): Promise<Probes['network']> {
  const names = await countedInterfaces();
  const stats = names.length === 0 ? [] : await networkStats(names.join(','));
  return {
    received: stats.reduce((sum, { rx_bytes }) => sum + finite(rx_bytes), 0),
    sent: stats.reduce((sum, { tx_bytes }) => sum + finite(tx_bytes), 0),
  };
}

/**
 * The physical interfaces: what passes a bridge, bond or tunnel passes one of them too, and would count twice. In a
 * container none is physical; then all but loopback count.
 */
async function countedInterfaces(): Promise<string[]> {
  const physical = process.platform === 'linux' ? await linuxPhysical() : await otherPhysical();
  if (physical.length > 0) return physical;
  return Object.entries(os.networkInterfaces())
    .filter(([, addresses]) => addresses?.some(({ internal }) => !internal))
    .map(([name]) => name);
}

async function linuxPhysical(): Promise<string[]> {
  const root = '/sys/class/net';
  const names = await readdir(root).catch(() => []);
  const devices = await Promise.all(
    names.map((name) => realpath(`${root}/${name}/device`).catch(() => undefined)),
  );
  return names.filter((_, index) => devices[index] !== undefined);
}

async function otherPhysical(): Promise<string[]> {
  const found = await networkInterfaces();
  return [found]
    .flat()
    .filter(({ internal, virtual }) => !internal && !virtual)
    .map(({ iface }) => iface);
}

async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no figure within ${ms / 1000} s`)), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

function percent(value: number): number {
  if (!Number.isFinite(value)) throw new Error('no figure');
  return round(Math.min(100, Math.max(0, value)), 1);
}

function finite(value: number): number {
  return Number.isFinite(value) ? value : 0;
}

function round(value: number, digits: number): number {
  const factor = 10 ** digits;
  return Math.round(value * factor) / factor;
}
