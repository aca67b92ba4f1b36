import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { postgresProcesses, runsWith } from './processes.js';
import { until } from './wait.js';

export interface Postmaster {
  pid: number;
  port: number;
  /** PostgreSQL's own word: starting, ready, stopping. */
  status: string;
}

function pidFile(cluster: string): string {
  return join(cluster, 'postmaster.pid');
}

/** The living server of a cluster, from its postmaster.pid; undefined when that file is absent or names no such process. */
export function livePostmaster(cluster: string): Postmaster | undefined {
  let lines: string[];
  try {
    lines = readFileSync(pidFile(cluster), 'utf8').split('\n');
  } catch {
    return undefined;
  }
  const pid = Number(lines[0]);
  if (!(pid > 0) || lines[1] !== cluster || !runsWith(pid, cluster)) return undefined;
  return { pid, port: Number(lines[3]), status: lines[7]?.trim() ?? '' };
}

/**
 * Removes the postmaster.pid of a server that was killed. PostgreSQL does so by itself unless the pid is in use again;
 * but first the dead server's helpers must be gone, for they still write to the cluster.
 */
export async function clearStaleLock(cluster: string): Promise<void> {
  let helpers: number[] = [];
  try {
    await until('', 30, () => {
      helpers = postgresProcesses(cluster);
      return helpers.length === 0 || undefined;
    });
  } catch {
    throw new Error(
      `Processes ${helpers.join(', ')} of a PostgreSQL that was killed still use ${cluster}. End them first.`,
    );
  }
  // Elsewhere we can't see the helpers, so PostgreSQL's own look at its shared memory must decide.
  if (process.platform === 'linux') rmSync(pidFile(cluster), { force: true });
}

/** Asks for a fast shutdown, which ends sessions and leaves nothing to recover, and waits until the server is gone. */
export async function stopPostmaster(cluster: string): Promise<void> {
  const running = livePostmaster(cluster);
  if (!running) return;
  try {
    process.kill(running.pid, 'SIGINT');
  } catch (error) {
    if (livePostmaster(cluster))
      throw new Error(`PostgreSQL (${running.pid}) can't be stopped`, { cause: error });
  }
  await until(
    `PostgreSQL (${running.pid}) to stop`,
    60,
    () => livePostmaster(cluster) === undefined || undefined,
  );
}
