import { readFile } from 'node:fs/promises';
import os from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';

/** What all CPUs have spent since the machine started, in whatever unit: in all, and on nothing. */
export interface CpuTime {
  readonly total: number;
  readonly idle: number;
}

/** The least between two readings that a share can be told from: kernels count in hundredths of a second. */
const shortestMs = 250;

/** The CPU in use between two readings, whatever the machine's clock did meanwhile. */
export class CpuMeter {
  private before: Promise<{ time: CpuTime; at: number }>;

  constructor(private readonly read: () => Promise<CpuTime> = cpuTime) {
    this.before = this.now();
    // It is awaited with the first figure.
    this.before.catch(() => undefined);
  }

  /** The mean since the last call, 0 to 100; at first since the meter was made. */
  async percent(): Promise<number> {
    const before = await this.before.catch(async () => this.now());
    const left = shortestMs - (performance.now() - before.at);
    if (left > 0) await sleep(left);
    const after = this.now();
    this.before = after;
    return busyPercent(before.time, (await after).time);
  }

  private async now() {
    return { time: await this.read(), at: performance.now() };
  }
}

/**
 * As top has it: waiting for disks is idle, since others can run then, and what the hypervisor gave to others is in use,
 * since nobody here can. The kernel may take back some of what it counted as waiting.
 */
export function busyPercent(before: CpuTime, after: CpuTime): number {
  const total = after.total - before.total;
  if (!(total > 0)) throw new Error('no CPU time has passed');
  const idle = Math.min(total, Math.max(0, after.idle - before.idle));
  return (100 * (total - idle)) / total;
}

async function cpuTime(): Promise<CpuTime> {
  return process.platform === 'linux' ? linuxCpuTime(await readFile('/proc/stat', 'utf8')) : otherCpuTime();
}

/** The line of all CPUs in `/proc/stat`. What guests used is counted among what users did, and not once more. */
export function linuxCpuTime(stat: string): CpuTime {
  const [, figures = ''] = /^cpu +([\d ]+)$/m.exec(stat) ?? [];
  const spent = figures.trim().split(/ +/).map(Number).slice(0, 8);
  const [, , , idle, waiting = 0] = spent;
  if (idle === undefined) throw new Error('/proc/stat has no line of all CPUs');
  return { total: spent.reduce((sum, ticks) => sum + ticks, 0), idle: idle + waiting };
}

function otherCpuTime(): CpuTime {
  const times = os.cpus().map((cpu) => cpu.times);
  const sum = (of: (time: os.CpuInfo['times']) => number) => times.reduce((all, time) => all + of(time), 0);
  const idle = sum((time) => time.idle);
  return { total: idle + sum(({ user, nice, sys }) => user + nice + sys), idle };
}
