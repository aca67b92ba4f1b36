import { createServer } from 'node:net';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { startPanel } from '#panel/panel.js';
import { panelOptions } from '#panel/run.js';
import { EnvError } from '#platform/env.js';
import { OperatorError } from '#platform/errors.js';
import { silentLogger } from '#platform/logger.js';

import { TestClock } from '../support/clock.js';
import { createTestDatabase, testSecretsKey, type TestDatabase } from '../support/panel.js';
import { PanelProcess } from '../support/process.js';
import { World } from '../support/world.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(async () => database.drop());

const settings = () => ({
  DATABASE_URL: database.url,
  SECRETS_KEY: testSecretsKey,
});

/** A panel in this process. */
async function start(more: Record<string, string> = {}) {
  const place = { PORT: '0', PUBLIC_URL: 'http://panel.test', DRAIN_SECONDS: '0' };
  const options = panelOptions({ ...settings(), ...place, ...more });
  const panel = await startPanel({ ...options, logger: silentLogger });
  return {
    link: panel.setupLink,
    world: new World(panel.url, new TestClock()),
    [Symbol.asyncDispose]: async () => panel.stop(),
  };
}

test('a port in use is told in one sentence, and nothing else', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  const running = new PanelProcess(port, settings());
  expect([await running.ended, running.output]).toEqual([
    1,
    `Port ${port} is in use. Stop what listens there, or set PORT to another.\n`,
  ]);
  server.close();
}, 120_000);

test('a second process without shared rate limits is told what to set', async () => {
  await using _first = await start();
  await expect(start()).rejects.toThrow(
    new OperatorError(
      'Another panel process serves clients from this database. More than one needs Redis, for shared rate limits: ' +
        'set REDIS_URL for all of them, or stop the other one.',
    ),
  );
}, 120_000);

test('only an account that has ADMIN_PASSWORD becomes the administrator of ADMIN_EMAIL', async () => {
  let account: { email: string; password: string };
  {
    await using panel = await start();
    account = (await panel.world.tenant()).account;
  }
  const named = { ADMIN_EMAIL: account.email.toUpperCase(), ADMIN_PASSWORD: 'not its password' };
  await expect(start(named)).rejects.toThrow(
    new OperatorError(
      'ADMIN_EMAIL names an account that exists, and ADMIN_PASSWORD is not its password: set ADMIN_PASSWORD to the ' +
        "account's password, or ADMIN_EMAIL to another address.",
    ),
  );
  await using panel = await start({ ...named, ADMIN_PASSWORD: account.password });
  expect(panel.link).toBeUndefined();
  const { body } = await panel.world.login(account.email, account.password);
  const granted = await panel.world.graphql(
    'mutation($id: ID!) { grantPlan(input: { tenantId: $id, plan: PRO }) { plan } }',
    { id: body.user.tenant.id },
    body.access_token,
  );
  expect(granted).toEqual({ data: { grantPlan: { plan: 'PRO' } } });
}, 120_000);

test.each([
  [{ ADMIN_EMAIL: 'root@panel.test' }, 'ADMIN_PASSWORD is required with ADMIN_EMAIL'],
  [{ ADMIN_PASSWORD: 'correct horse battery' }, 'ADMIN_EMAIL is required with ADMIN_PASSWORD'],
])('half an administrator is reported with all else that is wrong: %o', (half, problem) => {
  expect(() => panelOptions({ ...half, PORT: 'x', SMTP_URL: 'ftp://mail' })).toThrow(
    expect.objectContaining({
      constructor: EnvError,
      problems: expect.arrayContaining([
        problem,
        expect.stringMatching(/^PORT: /),
        expect.stringMatching(/^SMTP_URL: /),
      ]),
    }),
  );
});
