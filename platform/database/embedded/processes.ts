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
  const stat = tryRead(`/proc/${pid}/stat`);
  if (stat === undefined) return undefined;
  // The command's name is in parentheses and may hold anything, so fields are counted from the last one on.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
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

/** Ends the server's sessions and helpers, which call themselves "postgres: ...", when the server no longer does. */
export function endSessions(folder: string, signal: 'SIGQUIT' | 'SIGKILL'): void {
  for (const pid of postgresProcesses(folder)) {
    if (!tryRead(`/proc/${pid}/cmdline`)?.startsWith('postgres: ')) continue;
    try {
      process.kill(pid, signal);
    } catch {
      // It has ended meanwhile.
    }
  }
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
