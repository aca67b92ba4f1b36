import { spawn } from 'node:child_process';

import { OperatorError } from '#platform/errors.js';

/** Runs one of PostgreSQL's own programs to its end. The password goes by the environment, where others do not see it. */
export async function runClient(
  program: 'pg_dump' | 'pg_restore',
  url: string | undefined,
  args: readonly string[],
): Promise<string> {
  const place = url === undefined ? undefined : new URL(url);
  const password = place && decodeURIComponent(place.password);
  if (place) place.password = '';
  const child = spawn(program, [...(place ? ['--no-password', '--dbname', place.href] : []), ...args], {
    env: { ...inherited(), ...(password ? { PGPASSWORD: password } : {}), PGCONNECT_TIMEOUT: '10' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let told = '';
  let complaints = '';
  child.stdout.on('data', (chunk: Buffer) => (told += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (complaints += chunk.toString()));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', (error: NodeJS.ErrnoException) => {
      reject(error.code === 'ENOENT' ? new OperatorError(missing(program)) : error);
    });
    child.once('close', resolve);
  });
  if (code !== 0) throw new OperatorError(`${program} failed:\n${complaints.trim()}`);
  return told;
}

/** Refuses a client that is older than the server: it cannot read what it does not know. */
export async function requireClient(program: 'pg_dump' | 'pg_restore', serverVersion: number): Promise<void> {
  const told = await runClient(program, undefined, ['--version']);
  const major = Number(/(\d+)/.exec(told)?.[1]);
  const needed = Math.floor(serverVersion / 10_000);
  if (major >= needed) return;
  throw new OperatorError(
    `${program} is of PostgreSQL ${major}, and the server is ${needed}. Install postgresql-client-${needed} ` +
      'and put its programs first in PATH.',
  );
}

function missing(program: string): string {
  return (
    `${program} is not there. It is in the package postgresql-client of Debian and Ubuntu, and has to be of the server's ` +
    'version at least.'
  );
}

/** What programs need of the environment: where they and their configuration are. */
function inherited(): NodeJS.ProcessEnv {
  const { PATH, HOME, LANG, PGSSLROOTCERT } = process.env;
  return { PATH, HOME, LANG, PGSSLROOTCERT };
}
