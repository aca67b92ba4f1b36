import { afterAll, beforeAll, expect, test } from 'vitest';

import { TestClock } from '../support/clock.js';
import { Live } from '../support/live.js';
import { createTestDatabase, testSecretsKey, type TestDatabase } from '../support/panel.js';
import { freePort, PanelProcess } from '../support/process.js';
import { World } from '../support/world.js';

let database: TestDatabase;
let port: number;
let running: PanelProcess;

async function start(): Promise<World> {
  running = new PanelProcess(port, {
    DATABASE_URL: database.url,
    SECRETS_KEY: testSecretsKey,
    PUBLIC_URL: 'http://panel.test',
    HEARTBEAT_SECONDS: '1',
  });
  await running.ready();
  return new World(running.url, new TestClock());
}

beforeAll(async () => {
  database = await createTestDatabase();
  port = await freePort();
});
afterAll(async () => {
  await running.kill('SIGKILL');
  await database.drop();
});

const query = 'subscription { instanceChanged { name status tenant { name } } }';

test('a dashboard that reconnects after a kill -9 of the panel gets what it missed, and a silent node goes offline', async () => {
  const world = await start();
  const tenant = await world.tenant('Acme');
  const before = new Live(running.url, tenant.token, query);
  await before.opened();
  const node = await tenant.node('survivor');
  await before.received(1);
  const after = before.lastCursor;
  // Acknowledged, so it happened, whether or not the event went out before the end.
  await node.beat();
  await running.kill('SIGKILL');
  await before.close();

  await start();
  await using live = new Live(running.url, tenant.token, query, { after });
  // Three intervals of a second without a beat, and no request made.
  await live.untilLatest(
    ({ results }) => JSON.stringify(results.at(-1)?.data ?? null).includes('OFFLINE') && results.length >= 2,
  );
  expect(live.results.map(({ data }) => data?.['instanceChanged'])).toHaveLength(2);
  expect(live.results.at(-1)?.data).toEqual({
    instanceChanged: { name: 'survivor', status: 'OFFLINE', tenant: { name: 'Acme' } },
  });
}, 120_000);
