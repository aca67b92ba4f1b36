import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { endAll, orphanedSessions, postgresProcesses, runsWith, sessionsOf } from './processes.js';
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
  const areGone = () => {
    helpers = postgresProcesses(cluster);
    return helpers.length === 0 || undefined;
  };
  try {
    // They end by themselves once they look up from what they do; a long query does not.
    const haveEnded = await until('', 3, areGone).catch(() => false);
    if (!haveEnded) endAll(orphanedSessions(cluster), 'SIGQUIT');
    await until('', 30, areGone);
  } catch {
    throw new Error(
      `Processes ${helpers.join(', ')} of a PostgreSQL that was killed still use ${cluster}. End them first.`,
    );
  }
  // Elsewhere we can't see the helpers, so PostgreSQL's own look at its shared memory must decide.
  if (process.platform === 'linux') rmSync(pidFile(cluster), { force: true });
}

/** How long a server may take for each way of ending it, the gentlest first. What it acknowledged survives each. */
const patiences = {
  long: [['SIGINT', 60]],
  short: [
    ['SIGINT', 4],
    ['SIGQUIT', 0.5],
    ['SIGKILL', 0.5],
  ],
} as const;

/**
 * Asks for a fast shutdown, which ends sessions and leaves nothing to recover, and waits until the server is gone. Short
 * patience also ends one that is frozen or at work for long, which leaves the next start a recovery.
 */
export async function stopPostmaster(
  cluster: string,
  { patience = 'long' }: { patience?: keyof typeof patiences } = {},
): Promise<void> {
  const running = livePostmaster(cluster);
  if (!running) return;
  for (const [signal, seconds] of patiences[patience]) {
    // Without their parent they would hold on to the cluster, and a frozen one for as long as it is frozen.
    const orphans = signal === 'SIGKILL' ? sessionsOf(running.pid, cluster) : [];
    try {
      process.kill(running.pid, signal);
      endAll(orphans, 'SIGKILL');
    } catch (error) {
      if (livePostmaster(cluster))
        throw new Error(`PostgreSQL (${running.pid}) can't be stopped`, { cause: error });
    }
    const isGone = () => livePostmaster(cluster) === undefined || undefined;
    const isLast = signal === patiences[patience].at(-1)![0];
    const gone = until(`PostgreSQL (${running.pid}) to stop`, seconds, isGone);
    if (isLast ? await gone : await gone.catch(() => false)) return;
  }
}
