import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

import { OperatorError } from '#platform/errors.js';

/** What the cluster is made of besides Node, and the Debian package that each is in. */
const programs: Readonly<Record<string, string>> = {
  etcd: 'etcd-server',
  patroni: 'patroni',
  haproxy: 'haproxy',
  pgbouncer: 'pgbouncer',
  'redis-server': 'redis-server',
  psql: 'postgresql-client-15',
  perl: 'perl-base',
  setpriv: 'util-linux',
};
const postgres = '/usr/lib/postgresql/15/bin/postgres';
// Of Debian's system programs; a shell that "su" opened lacks these folders.
export const programPath = `${process.env['PATH'] ?? ''}:/usr/local/sbin:/usr/sbin:/sbin`;

/** Debian packages of what is not on this machine. */
export function missingPackages(): string[] {
  const missing = Object.entries(programs)
    .filter(([program]) => !isThere(program))
    .map(([, name]) => name);
  if (!existsSync(postgres)) missing.push('postgresql-15');
  // Patroni speaks to etcd by its gateway, for which Debian's package only recommends the library.
  if (isThere('patroni') && !hasEtcdClient()) missing.push('python3-etcd');
  return [...new Set(missing)];
}

/** Ends with what to install, in one sentence. */
export function requirePrograms(): void {
  const missing = missingPackages();
  if (missing.length === 0) return;
  throw new OperatorError(
    `The cluster is made of Debian 12's own programs, and this machine lacks some. As root:\n` +
      `  apt-get install --no-install-recommends ${missing.join(' ')}\n` +
      `Their services need not run: "systemctl disable --now ${missing.join(' ')}" where they were started.`,
  );
}

function isThere(program: string): boolean {
  const env = { PATH: programPath };
  return spawnSync('/bin/sh', ['-c', `command -v ${program}`], { env, stdio: 'ignore' }).status === 0;
}

function hasEtcdClient(): boolean {
  const env = { PATH: programPath };
  return (
    spawnSync('/usr/bin/python3', ['-c', 'import etcd'], { env, cwd: '/', stdio: 'ignore' }).status === 0
  );
}
