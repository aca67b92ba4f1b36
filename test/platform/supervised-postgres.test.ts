import { renameSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, afterEach, expect, test } from 'vitest';

import { OperatorError } from '#platform/errors.js';
import { createLogger } from '#platform/logger.js';

import { EmbeddedServers, keep, kept, precious, query } from './support/embedded-servers.js';

const servers = new EmbeddedServers();
afterEach(async () => servers.clear());
afterAll(async () => servers.end());

/** A supervised server with ten quick attempts, and what was logged. */
async function supervised(attempts = 10) {
  const dataDir = await servers.madeFolder();
  const lines: string[] = [];
  const logger = createLogger('warn', { write: (line) => lines.push(line) });
  const server = await servers.start(dataDir, { logger });
  const failed = server.supervise({
    delaysMs: Array.from({ length: attempts }, (_, attempt) => attempt * 20),
    windowMs: 60_000,
  });
  await keep(server.url('postgres'));
  const control = join(dataDir, 'postgres', 'global', 'pg_control');
  return {
    server,
    failed,
    lines,
    kill: () => process.kill(server.pid()!, 'SIGKILL'),
    /** Without this file no server can start, as on a disk that is full. */
    breakIt: () => renameSync(control, `${control}.away`),
    mendIt: () => renameSync(`${control}.away`, control),
  };
}

const isBack = async (url: string) => kept(url).catch((error: Error) => error.message);

test('a server whose first process is killed is there again at the same address, with all its data', async () => {
  const { server, kill } = await supervised();
  const [before, url] = [server.pid(), server.url('postgres')];
  kill();
  await expect.poll(async () => isBack(url)).toEqual(precious);
  expect(server.pid()).not.toBe(before);

  await server.stop();
  expect(server.pid()).toBeUndefined();
});

test('a session that crashes is left to PostgreSQL itself', async () => {
  const { server, lines } = await supervised();
  const url = server.url('postgres');
  const [before, [session]] = [server.pid(), await query(url, 'select pg_backend_pid() as pid')];
  expect(session).toEqual({ pid: expect.any(Number) });
  const crash = query(url, `select pg_backend_pid() as pid, pg_sleep(60)`).catch(() => undefined);
  const sleeping = async () =>
    query(
      url,
      `select pid from pg_stat_activity where query like '%pg_sleep(60)%' and pid <> pg_backend_pid()`,
    );
  await expect.poll(sleeping).toHaveLength(1);
  process.kill(((await sleeping()) as { pid: number }[])[0]!.pid, 'SIGKILL');
  await crash;
  await expect.poll(async () => isBack(url)).toEqual(precious);
  expect([server.pid(), lines.join('')]).toEqual([before, '']);
});

test('attempts go on while the server can not start, and end when it can', async () => {
  const { server, lines, kill, breakIt, mendIt } = await supervised();
  breakIt();
  kill();
  await expect.poll(() => lines.join('')).toContain('PostgreSQL could not be started again');
  mendIt();
  await expect.poll(async () => isBack(server.url('postgres'))).toEqual(precious);
});

test('a server that does not come back in its attempts is given up, with words', async () => {
  const { failed, lines, kill, breakIt } = await supervised(3);
  breakIt();
  kill();
  const error = await failed;
  expect(error).toBeInstanceOf(OperatorError);
  expect(error.message).toMatch(/^The embedded PostgreSQL ended and did not come back in 3 attempts/);
  expect(lines.filter((line) => line.includes('could not be started again'))).toHaveLength(3);
  expect(lines.join('')).toContain('pg_control');
});
