import { execFileSync, spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import { chownSync, statSync, type Stats } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

/** The system user that PostgreSQL runs as when we are root, which it refuses to be. Undefined: run as ourselves. */
export type Account = { uid: number; gid: number } | undefined;

/** The owner of a cluster that exists, else the system user `postgres`, made when there is none. */
export function chooseAccount(existingCluster: string | undefined): Account {
  if (process.getuid?.() !== 0) return undefined;
  if (existingCluster !== undefined) {
    const { uid, gid } = statSync(existingCluster);
    if (uid !== 0) return { uid, gid };
  }
  const known = postgresUser();
  if (known) return known;
  try {
    // A shell that "su" opened lacks the system programs' folders.
    const options = { stdio: 'pipe', env: { PATH: `${process.env['PATH']}:/usr/sbin:/sbin` } } as const;
    execFileSync('groupadd', ['--system', '--force', 'postgres'], options);
    const shell = ['--no-create-home', '--shell', '/usr/sbin/nologin'];
    execFileSync('useradd', ['--system', '--gid', 'postgres', ...shell, 'postgres'], options);
  } catch (error) {
    // Another process may have made it in the meantime; only the outcome counts.
    if (!postgresUser()) {
      throw new Error(
        'PostgreSQL refuses to run as root, and the system user "postgres" could not be made. Make it, or start as an ordinary user.',
        { cause: error },
      );
    }
  }
  return postgresUser();
}

function postgresUser(): Account {
  const id = (flag: string) =>
    Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }));
  try {
    return { uid: id('-u'), gid: id('-g') };
  } catch {
    return undefined;
  }
}

/**
 * Gives a file that root has made in the place of another to the owner of that: a command that is run as root must leave a
 * service of another user what it starts with.
 */
export function handOver(file: string, replaced: Stats | undefined): void {
  if (replaced && replaced.uid !== 0 && process.getuid?.() === 0) chownSync(file, replaced.uid, replaced.gid);
}

/** Whether the account may reach `path` and enter or run it. The kernel is asked, as modes alone don't tell (ACLs). */
export function mayUse(account: Account, path: string): boolean {
  if (!account) return true;
  try {
    execFileSync('/bin/sh', ['-c', 'test -x "$0"', path], { ...account, cwd: '/', stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

export interface OwnedProcess {
  child: ChildProcess;
  /** Whether the kernel ends it when this process dies, even by kill -9. */
  diesWithUs: boolean;
}

/**
 * Starts a program as the account, in a session of its own so that Ctrl-C in a terminal reaches us alone, and where
 * the system can do it, with `deathSignal` sent to it when we die.
 */
export function spawnAs(
  account: Account,
  deathSignal: 'INT' | 'KILL',
  [program, ...args]: readonly [string, ...string[]],
  stdio: StdioOptions,
): OwnedProcess {
  const options = {
    cwd: '/',
    detached: true,
    stdio,
    env: { PATH: process.env['PATH'], LANG: 'C.UTF-8', LC_ALL: 'C.UTF-8', TZ: 'UTC' },
  };
  if (!canTie()) return { child: spawn(program, args, { ...options, ...account }), diesWithUs: false };
  // The kernel forgets the death signal when a process changes its user, so setpriv must do both, in its own order.
  const identity = account ? [`--reuid=${account.uid}`, `--regid=${account.gid}`, '--clear-groups'] : [];
  const child = spawn('setpriv', [`--pdeathsig=${deathSignal}`, ...identity, program, ...args], options);
  return { child, diesWithUs: true };
}

let setprivWorks: boolean | undefined;

function canTie(): boolean {
  // The signal is tied to the thread that forked, and a worker thread may end long before the process does.
  if (process.platform !== 'linux' || !isMainThread) return false;
  try {
    setprivWorks ??= execFileSync('setpriv', ['--help'], { encoding: 'utf8', stdio: 'pipe' }).includes(
      '--pdeathsig',
    );
  } catch {
    setprivWorks = false;
  }
  return setprivWorks;
}
