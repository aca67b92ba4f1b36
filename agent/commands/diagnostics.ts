import os from 'node:os';

import { cpu, fsSize, mem, networkInterfaces, osInfo, time } from 'systeminformation';

import { within } from '../within.js';
import { succeeded, type CommandHandler } from './handler.js';

const gibibyte = 1024 ** 3;

/** For each probe: `df` alone waits for ever for a file server that is gone. */
const probeMs = 10_000;

/** Really looks at the machine that the agent runs on; a probe that fails or hangs says so in its place. */
export const runDiagnostics: CommandHandler = async ({ clock, progress }) => {
  await progress(0, 'Looking at the system ...');
  const facts = {
    simulated: false,
    collected_at: clock.now().toISOString(),
    agent: { node: process.version, uptime_seconds: Math.round(process.uptime()), pid: process.pid },
    os: await probe(async () => {
      const { platform, distro, release, kernel, arch, hostname } = await osInfo();
      return { platform, distro, release, kernel, arch, hostname, timezone: time().timezone };
    }),
    cpu: await probe(async () => {
      const { manufacturer, brand, cores, physicalCores } = await cpu();
      return { manufacturer, brand, cores, physical_cores: physicalCores, load_average: os.loadavg() };
    }),
    memory: await probe(async () => {
      const { total, available, swaptotal } = await mem();
      return { total_gb: gb(total), available_gb: gb(available), swap_gb: gb(swaptotal) };
    }),
    filesystems: await probe(async () =>
      (await fsSize()).map(({ mount, type, size, use }) => ({
        mount,
        type,
        size_gb: gb(size),
        used_percent: use,
      })),
    ),
    network: await probe(async () => {
      const found = await networkInterfaces();
      return (Array.isArray(found) ? found : [found]).map(({ iface, operstate, mtu }) => ({
        interface: iface,
        state: operstate,
        mtu,
      }));
    }),
  };
  return succeeded(JSON.stringify(facts, undefined, 2));
};

async function probe<Facts>(read: () => Promise<Facts>): Promise<Facts | { error: string }> {
  try {
    return await within(probeMs, read());
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
}

function gb(bytes: number): number {
  return Math.round((bytes / gibibyte) * 100) / 100;
}
