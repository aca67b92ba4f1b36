import { pino } from 'pino';
import { expect, test } from 'vitest';

import { startPanel } from '#panel/panel.js';
import { panelOptions } from '#panel/run.js';

import { TestClock } from '../support/clock.js';
import { createTestDatabase, testAdministrator, testSecretsKey } from '../support/panel.js';

test('an hour in which nothing happens leaves no warning: each background step may ask what it asks', async () => {
  const database = await createTestDatabase();
  const clock = new TestClock();
  const said: string[] = [];
  const logger = pino({ level: 'warn' }, { write: (line: string) => said.push(line) });
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
    logger,
    clock,
  });
  try {
    for (let minute = 0; minute < 60; minute += 1) await clock.advance(60_000);
  } finally {
    await panel.stop();
    await database.drop();
  }
  expect(said.filter((line) => !line.includes('SMTP_URL'))).toEqual([]);
});
