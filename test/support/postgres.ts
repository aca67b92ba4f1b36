import { chmodSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import pg from 'pg';
import type { TestProject } from 'vitest/node';

import { migrate } from '#panel/database.js';
import { startEmbeddedPostgres } from '#platform/database/embedded-postgres.js';
import { silentLogger } from '#platform/logger.js';

import { createRunDataDir } from './data-dir.js';

/** Where test files find the run's PostgreSQL. */
export interface TestPostgres {
  /** Of the superuser; the database's name is to be put in place of `postgres`. */
  ownerUrl: string;
  /** The password of panel_app. */
  password: string;
  /** The folder of its socket, where a message costs half of what it costs over TCP. */
  socketDir: string;
}

declare module 'vitest' {
  export interface ProvidedContext {
    postgres: TestPostgres;
  }
}

export const templateDatabase = 'panel_template';

/**
 * One PostgreSQL for the run, with one migrated database that the files' databases are cloned from. Answers how to end it.
 */
export async function startPostgres({ provide }: TestProject): Promise<() => Promise<void>> {
  const dataDir = createRunDataDir();
  const socketDir = join(dataDir, 'sockets');
  mkdirSync(socketDir);
  // The server may run as another user.
  chmodSync(socketDir, 0o777);
  const server = await startEmbeddedPostgres({
    dataDir,
    logger: silentLogger,
    settings: {
      fsync: 'off',
      synchronous_commit: 'off',
      full_page_writes: 'off',
      max_connections: '400',
      unix_socket_directories: socketDir,
    },
  });
  const ownerUrl = server.url('postgres');
  const password = 'test-password';
  const owner = new pg.Client({ connectionString: ownerUrl });
  await owner.connect();
  await owner.query(`create database ${templateDatabase}`);
  await owner.end();
  await migrate(server.url(templateDatabase), password, silentLogger);
  await makePartitions(server.url(templateDatabase));
  provide('postgres', { ownerUrl, password, socketDir });
  return async () => {
    await server.stop();
    rmSync(dataDir, { recursive: true, force: true });
  };
}

/** Those that each panel would make of today's samples when it starts. */
async function makePartitions(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(
    `select fleet.add_partition('metrics_sample', day::date, day::date + 1)
     from generate_series(current_date - 1, current_date + 2, '1 day') day`,
  );
  await client.query(
    `select fleet.add_partition('metrics_hourly', monday::date, monday::date + 7)
     from generate_series(date_trunc('week', current_date), date_trunc('week', current_date) + '1 week', '1 week') monday`,
  );
  await client.end();
}
