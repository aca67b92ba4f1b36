import { rmSync } from 'node:fs';

import pg from 'pg';
import type { TestProject } from 'vitest/node';

import { migrate } from '#panel/database.js';
import { startEmbeddedPostgres } from '#platform/database/embedded-postgres.js';
import { silentLogger } from '#platform/logger.js';

import { createDataDir } from './data-dir.js';

/** Where test files find the run's PostgreSQL. */
export interface TestPostgres {
  /** Of the superuser; the database's name is to be put in place of `postgres`. */
  ownerUrl: string;
  /** The password of panel_app. */
  password: string;
}

declare module 'vitest' {
  export interface ProvidedContext {
    postgres: TestPostgres;
  }
}

export const templateDatabase = 'panel_template';

/** One PostgreSQL for the run, with one migrated database that the files' databases are cloned from. */
export default async function setup({ provide }: TestProject): Promise<() => Promise<void>> {
  const dataDir = createDataDir();
  const server = await startEmbeddedPostgres({
    dataDir,
    logger: silentLogger,
    settings: { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', max_connections: '400' },
  });
  const ownerUrl = server.url('postgres');
  const password = 'test-password';
  const owner = new pg.Client({ connectionString: ownerUrl });
  await owner.connect();
  await owner.query(`create database ${templateDatabase}`);
  await owner.end();
  await migrate(server.url(templateDatabase), password, silentLogger);
  provide('postgres', { ownerUrl, password });
  return async () => {
    await server.stop();
    rmSync(dataDir, { recursive: true, force: true });
  };
}
