import { setTimeout as sleep } from 'node:timers/promises';

import pg from 'pg';

import type { Logger } from '../logger.js';
import { waits } from './patience.js';

const form = /^create (?:unique )?index (\w+) on ((\w+)\.\w+) /;

/** Whether it is the statement of an index that may be built before its step: of a table that has its schema's name. */
export const isIndex = (statement: string): boolean => form.test(statement);

interface BuildOptions {
  area: string;
  ownerUrl: string;
  logger: Logger;
}

/**
 * Builds indexes outside of a transaction, so that nobody who writes to their tables waits meanwhile. What is there stays,
 * but for one that was cut off while it was built: it serves nobody, and is built anew.
 */
export async function buildIndexes(options: BuildOptions, statements: readonly string[]): Promise<void> {
  const client = new pg.Client({
    connectionString: options.ownerUrl,
    connectionTimeoutMillis: waits.ownerConnect,
    keepAlive: true,
    keepAliveInitialDelayMillis: waits.keepAlive,
  });
  // What it is asked fails by itself when the connection is lost.
  client.on('error', () => undefined);
  await client.connect();
  try {
    await takeTurn(client, options.area);
    // For those who write, until the last of them that began before has ended: nobody waits behind it.
    await client.query(`set lock_timeout = ${waits.migration}`);
    for (const statement of statements) await build(client, options, statement);
  } finally {
    await client.end();
  }
}

/**
 * Processes that start together take turns here too. The lock is tried, not waited for: a build ends when all snapshots
 * from before are gone, and a statement that waits has one. With the connection it is free again.
 */
async function takeTurn(client: pg.Client, area: string): Promise<void> {
  const until = performance.now() + waits.migration;
  for (;;) {
    const { rows } = await client.query<{ isOurs: boolean }>(
      `select pg_try_advisory_lock(hashtext($1)) as "isOurs"`,
      [`index ${area}`],
    );
    if (rows[0]?.isOurs) return;
    if (performance.now() > until) throw new Error(`another process still builds indexes of ${area}`);
    await sleep(waits.migrationPause);
  }
}

async function build(client: pg.Client, { area, logger }: BuildOptions, statement: string): Promise<void> {
  const [, index, table, schema] = form.exec(statement)!;
  const { rows } = await client.query<{ isValid: boolean }>(
    'select indisvalid as "isValid" from pg_index where indexrelid = to_regclass($1)',
    [`${schema}.${index}`],
  );
  if (rows[0]?.isValid) return;
  logger.info({ area, index, table }, 'an index is being built, while others go on writing to its table');
  if (rows[0]) await client.query(`drop index concurrently ${schema}.${index}`);
  await client.query(statement.replace(' index ', ' index concurrently '));
}
