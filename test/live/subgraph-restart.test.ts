import { afterAll, beforeAll, expect, test } from 'vitest';

import type { PanelOptions } from '#panel/panel.js';
import { panelOptions } from '#panel/run.js';
import { startGateway, startSubgraph, type RunningProcess } from '#panel/split.js';
import { silentLogger } from '#platform/logger.js';

import { TestClock } from '../support/clock.js';
import { Live } from '../support/live.js';
import { createTestDatabase, testSecretsKey, type TestDatabase } from '../support/panel.js';
import { freePort } from '../support/process.js';
import { World } from '../support/world.js';

const clock = new TestClock();
let database: TestDatabase;
let identity: RunningProcess;
let fleet: RunningProcess;
let gateway: RunningProcess;
let world: World;
let startFleet: () => Promise<RunningProcess>;

beforeAll(async () => {
  database = await createTestDatabase();
  const ports = { identity: await freePort(), fleet: await freePort() };
  const addresses = {
    identity: `http://127.0.0.1:${ports.identity}`,
    fleet: `http://127.0.0.1:${ports.fleet}`,
  };
  const options = (
    port: number,
  ): PanelOptions & { split: { publicUrl: string; addresses: typeof addresses } } => ({
    ...panelOptions({
      DATABASE_URL: database.url,
      SECRETS_KEY: testSecretsKey,
      DRAIN_SECONDS: '0',
      PORT: String(port),
      HOST: '127.0.0.1',
      PUBLIC_URL: 'http://panel.test',
    }),
    logger: silentLogger,
    clock,
    split: { publicUrl: 'http://panel.test', addresses },
  });
  startFleet = async () => startSubgraph('fleet', options(ports.fleet));
  identity = await startSubgraph('identity', options(ports.identity));
  fleet = await startFleet();
  gateway = await startGateway(options(0));
  world = new World(gateway.url, clock);
});
afterAll(async () => {
  for (const process of [gateway, fleet, identity]) await process.stop();
  await database.drop();
});

test('a dashboard that has seen no event yet misses none while the subgraph restarts under it', async () => {
  const tenant = await world.tenant();
  const token = await tenant.enrollmentToken();
  await using live = new Live(gateway.url, tenant.token, 'subscription { instanceChanged { name } }');
  await live.opened();
  // Subscriptions share one socket to the subgraph: this one's event means that the one before it is open there.
  const neighbour = await world.tenant();
  await using later = new Live(gateway.url, neighbour.token, 'subscription { instanceChanged { name } }');
  await later.opened();
  await neighbour.node();
  await later.received(1);
  await fleet.stop();
  fleet = await startFleet();
  const enrolled = await world.rest('/api/agent/enroll', {
    body: { token, name: 'early', hostname: 'early.example.com', version: '0.2.9' },
  });
  expect(enrolled.status).toBe(201);
  await live.received(1);
  expect(live.results.map(({ data }) => data)).toEqual([{ instanceChanged: { name: 'early' } }]);
});
