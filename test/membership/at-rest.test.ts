import pg from 'pg';
import { expect, test } from 'vitest';

import { startPanel } from '#panel/panel.js';
import { panelOptions } from '#panel/run.js';
import { silentLogger } from '#platform/logger.js';

import { createTestDatabase, testAdministrator, testSecretsKey } from '../support/panel.js';
import { until } from '../support/world.js';

// Of a process with all areas, in a minute. Most are one message of questions a second, and what says that it lives.
const transactionsAtMost = 200;
const writesAtMost = 150;

const beatsAMinute = 30;

test('a panel at rest asks the database little: some messages a second for all areas together, and hardly a write', async () => {
  const database = await createTestDatabase();
  const panel = await startPanel({
    ...panelOptions({
      DATABASE_URL: database.url,
      SECRETS_KEY: testSecretsKey,
      DRAIN_SECONDS: '0',
      PORT: '0',
      HOST: '127.0.0.1',
      PUBLIC_URL: 'http://panel.test',
      ADMIN_EMAIL: testAdministrator.email,
      ADMIN_PASSWORD: testAdministrator.password,
    }),
    logger: silentLogger,
  });
  const owner = new pg.Client({ connectionString: database.ownerUrl });
  await owner.connect();
  let looks = 0;
  /** What the server has counted without these looks, and how often the process has said meanwhile that it lives. */
  const seen = async () => {
    looks += 1;
    const { rows } = await owner.query<{ transactions: number; writes: number; beats: number }>(
      `select (d.xact_commit + d.xact_rollback)::int - $1::int as transactions,
         (d.tup_inserted + d.tup_updated + d.tup_deleted)::int as writes,
         (extract(epoch from p.beat_at - p.started_at) / 2)::int as beats
       from pg_stat_database d, platform.process p where d.datname = current_database()`,
      [looks],
    );
    return rows[0]!;
  };
  const afterBeats = async (beats: number) => {
    await until(async () => (await seen()).beats >= beats, `${beats} beats`, 60_000);
    return seen();
  };
  try {
    // What is done once after a start is over by then.
    const before = await afterBeats(5);
    const after = await afterBeats(before.beats + 6);
    const perMinute = (key: 'transactions' | 'writes') =>
      ((after[key] - before[key]) / (after.beats - before.beats)) * beatsAMinute;
    expect(perMinute('writes')).toBeLessThan(writesAtMost);
    expect(perMinute('transactions')).toBeLessThan(transactionsAtMost);
    // It counts: a process that says nothing to the server would be no panel.
    expect(perMinute('transactions')).toBeGreaterThan(beatsAMinute);
  } finally {
    await owner.end();
    await panel.stop();
    await database.drop();
  }
});
