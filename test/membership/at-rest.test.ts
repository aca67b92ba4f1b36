import pg from 'pg';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';

import { startPanel } from '#panel/panel.js';
import { panelOptions } from '#panel/run.js';
import { GuardedClient } from '#platform/database/guarded-client.js';
import { silentLogger } from '#platform/logger.js';

import { createTestDatabase, testSecretsKey, type TestDatabase } from '../support/panel.js';
import { until } from '../support/world.js';

/** In a minute, of a process with all areas. It says thirty times that it lives, by a write each. */
const atMost = { messages: 250, statements: 2_600, writes: 100 };
const beatsAMinute = 30;

type Query = (...given: unknown[]) => unknown;

let database: TestDatabase;
let owner: pg.Client;
const sent = { messages: 0, statements: 0, writes: 0 };
beforeAll(async () => {
  database = await createTestDatabase();
  owner = new pg.Client({ connectionString: database.ownerUrl });
  await owner.connect();
  const query = Object.getOwnPropertyDescriptor(pg.Client.prototype, 'query')!.value as Query;
  vi.spyOn(pg.Client.prototype, 'query').mockImplementation(function (this: pg.Client, ...given: unknown[]) {
    if (this instanceof GuardedClient) count(given[0] as string | { text: string });
    return query.apply(this, given);
  } as typeof pg.Client.prototype.query);
});
afterAll(async () => {
  vi.restoreAllMocks();
  await owner.end();
  await database.drop();
});

function count(asked: string | { text: string }): void {
  const text = typeof asked === 'string' ? asked : asked.text;
  sent.messages += 1;
  sent.statements += text.split(';').filter((part) => part.trim() !== '').length;
  if (/\b(insert into|update (?!skip)|delete from)/i.test(text)) sent.writes += 1;
}

test('a panel at rest asks the database little: some messages a second for all areas together, and hardly a write', async () => {
  const panel = await startPanel({
    ...panelOptions({
      DATABASE_URL: database.url,
      SECRETS_KEY: testSecretsKey,
      DRAIN_SECONDS: '0',
      PORT: '0',
      HOST: '127.0.0.1',
      PUBLIC_URL: 'http://panel.test',
    }),
    logger: silentLogger,
  });
  /** How often the process has said that it lives, which it does every other second. */
  const beats = async () =>
    (
      await owner.query<{ beats: number }>(
        `select (extract(epoch from beat_at - started_at) / 2)::int as beats from platform.process`,
      )
    ).rows[0]?.beats ?? 0;
  const after = async (number: number) => {
    await until(async () => (await beats()) >= number, `${number} beats`, 60_000);
    return { ...sent, beats: await beats() };
  };
  try {
    // What is done once after a start is over by then.
    const before = await after(4);
    const then = await after(before.beats + 5);
    const perMinute = (key: keyof typeof sent) =>
      ((then[key] - before[key]) / (then.beats - before.beats)) * beatsAMinute;
    expect(perMinute('messages')).toBeLessThan(atMost.messages);
    expect(perMinute('statements')).toBeLessThan(atMost.statements);
    expect(perMinute('writes')).toBeLessThan(atMost.writes);
    // They are counted.
    expect(perMinute('writes')).toBeGreaterThanOrEqual(beatsAMinute);
  } finally {
    await panel.stop();
  }
});
