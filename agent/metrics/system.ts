import { statfs } from 'node:fs/promises';
import os from 'node:os';

import { mem } from 'systeminformation';

import { countApps } from './apps.js';
import { CpuMeter } from './cpu.js';
import { TrafficMeter } from './network.js';
import { Probes } from './probes.js';
import type { ComponentHealth, Metrics, MetricsSource } from './source.js';
import { systemFacts, type Facts } from './system-facts.js';

const gibibyte = 1024 ** 3;

export interface SystemMetricsOptions {
  /** Where apps keep their data, on a filesystem of its own. Without it nobody can tell what of a disk is theirs. */
  readonly appsPath?: string;
}

/**
 * The figures of the machine the agent runs on. One that can't be read is none, and the component `agent` is reported as
 * degraded: it costs neither the beat nor the others, and nobody takes what was true before for what is.
 */
export function systemMetrics({ appsPath }: SystemMetricsOptions = {}): MetricsSource {
  const probes = new Probes();
  const cpu = new CpuMeter();
  const network = new TrafficMeter();
  let facts: Facts = {};

  return {
    async collect(): Promise<Metrics> {
      const failures: string[] = [];
      const probe = <Figure>(name: string, read: () => Promise<Figure>) =>
        probes.ask(name, read, (reason) => failures.push(reason));
      const [cpuPercent, memoryPercent, diskPercent, traffic, apps, storageGb, seen] = await Promise.all([
        probe('cpu', async () => percent(await cpu.percent())),
        probe('memory', memory),
        probe('disk', disk),
        probe('network', () => network.traffic()),
        probe('apps', countApps),
        appsPath === undefined ? null : probe('storage', () => usedGb(appsPath)),
        probe('facts', () => systemFacts()),
      ]);
      // They seldom change, and those from before stay where none are told.
      facts = seen ?? facts;
      return {
        cpuPercent: cpuPercent ?? null,
        memoryPercent: memoryPercent ?? null,
        diskPercent: diskPercent ?? null,
        appsCount: apps?.count ?? null,
        cpuCores: os.cpus().length || os.availableParallelism(),
        memoryGb: round(os.totalmem() / gibibyte, 2),
        netRxBytes: traffic?.received,
        netTxBytes: traffic?.sent,
        loadAverage: round(os.loadavg()[0] ?? 0, 2),
        uptimeSeconds: Math.floor(os.uptime()),
        storageUsedGb: storageGb,
        health: [agentHealth(failures)],
        facts: {
          ...facts,
          ...(apps && { 'apps.count': apps.count, 'custom.apps_counted': apps.what }),
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

/** What programs can still get counts as free, caches included. */
async function memory(): Promise<number> {
  const { total, available } = await mem();
  return percent((100 * (total - available)) / total);
}

/** The root filesystem, counted as df does: what is kept for root is not free to anyone. No df: it can hang on NFS. */
async function disk(): Promise<number> {
  const { blocks, bfree, bavail } = await statfs('/');
  const used = blocks - bfree;
  return percent((100 * used) / (used + bavail));
}

async function usedGb(path: string): Promise<number> {
  const { bsize, blocks, bfree } = await statfs(path);
  return round(((blocks - bfree) * bsize) / gibibyte, 2);
}

function percent(value: number): number {
  if (!Number.isFinite(value)) throw new Error('no figure');
  return round(Math.min(100, Math.max(0, value)), 1);
}

function round(value: number, digits: number): number {
  const factor = 10 ** digits;
  return Math.round(value * factor) / factor;
}
