import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

const hasProc = process.platform === 'linux';

/**
 * A name for a living process that no later process gets: the pid alone is soon used again, most of all in a
 * container that was restarted. Undefined when it is dead, a zombie included.
 */
export function processIdentity(pid: number): string | undefined {
  if (!hasProc) {
    const started = ps(pid, 'lstart=');
    return started && `${pid}:${started}`;
  }
  const fields = statFields(pid);
  if (fields === undefined) return undefined;
  const [state, startTime] = [fields[0], fields[19]];
  if (state === 'Z' || state === 'X') return undefined;
  return `${pid}:${startTime}:${tryRead('/proc/sys/kernel/random/boot_id')?.trim()}`;
}

export function isAlive(identity: string | undefined): boolean {
  return identity !== undefined && processIdentity(Number.parseInt(identity, 10)) === identity;
}

/** Whether the process `pid` lives and was started with `word` as one of its arguments. */
export function runsWith(pid: number, word: string): boolean {
  if (!hasProc) return ps(pid, 'command=')?.includes(word) ?? false;
  return tryRead(`/proc/${pid}/cmdline`)?.split('\0').includes(word) ?? false;
}

/** PostgreSQL's processes on a cluster: server, helpers, initdb. Empty where the system doesn't tell (outside Linux). */
export function postgresProcesses(folder: string): number[] {
  if (!hasProc) return [];
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0 && pid !== process.pid)
    .filter((pid) => /postgres|initdb/.test(tryRead(`/proc/${pid}/cmdline`) ?? ''))
    .filter((pid) => tryReadLink(`/proc/${pid}/cwd`) === folder || runsWith(pid, folder));
}

/** The server's sessions and helpers, which call themselves "postgres: ...", when the server itself is gone. */
export function orphanedSessions(folder: string): number[] {
  return postgresProcesses(folder).filter((pid) => tryRead(`/proc/${pid}/cmdline`)?.startsWith('postgres: '));
}

/** The sessions and helpers of a living server. One that was made just now still has the server's own name. */
export function sessionsOf(server: number, folder: string): number[] {
  return postgresProcesses(folder).filter((pid) => parentOf(pid) === server);
}

export function endAll(pids: readonly number[], signal: 'SIGQUIT' | 'SIGKILL'): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch {
      // It has ended meanwhile.
    }
  }
}

/** The fields after the name, which is in parentheses and may hold anything: state, parent, ... */
function statFields(pid: number): string[] | undefined {
  const stat = tryRead(`/proc/${pid}/stat`);
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
}

function parentOf(pid: number): number {
  return Number(statFields(pid)?.[1]);
}

function tryRead(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

function tryReadLink(file: string): string | undefined {
  try {
    return readlinkSync(file);
  } catch {
    return undefined;
  }
}

function ps(pid: number, column: string): string | undefined {
  try {
    const line = execFileSync('ps', ['-o', column, '-p', String(pid)], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return line.trim() || undefined;
  } catch {
    return undefined;
  }
}
