import { afterAll, beforeAll, expect, test } from 'vitest';

import { areaNames, type AreaName } from '#panel/areas.js';
import { panelOptions } from '#panel/run.js';
import { startGateway, startSubgraph, type RunningProcess, type SplitOptions } from '#panel/split.js';
import { silentLogger } from '#platform/logger.js';

import { TestClock } from '../support/clock.js';
import { Live } from '../support/live.js';
import { createTestDatabase, testSecretsKey, type TestDatabase } from '../support/panel.js';
import { freePort } from '../support/process.js';
import { World } from '../support/world.js';

const clock = new TestClock();
let database: TestDatabase;
const subgraphs = new Map<AreaName, RunningProcess>();
let gateway: RunningProcess;
let world: World;
let start: (name: AreaName) => Promise<void>;

beforeAll(async () => {
  database = await createTestDatabase();
  const ports = new Map<AreaName, number>();
  for (const name of areaNames) ports.set(name, await freePort());
  const addresses = Object.fromEntries(
    [...ports].map(([name, port]) => [name, `http://127.0.0.1:${port}`]),
  ) as Record<AreaName, string>;
  const options = (port: number): SplitOptions => ({
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
    split: { publicUrl: 'http://panel.test', addresses, gatewayUrl: 'http://127.0.0.1:1' },
  });
  start = async (name) => void subgraphs.set(name, await startSubgraph(name, options(ports.get(name)!)));
  for (const name of areaNames) await start(name);
  gateway = await startGateway(options(0));
  world = new World(gateway.url, clock);
});
afterAll(async () => {
  for (const process of [gateway, ...subgraphs.values()]) await process.stop();
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
  await subgraphs.get('fleet')?.stop();
  await start('fleet');
  const enrolled = await world.rest('/api/agent/enroll', {
    body: { token, name: 'early', hostname: 'early.example.com', version: '0.2.9' },
  });
  expect(enrolled.status).toBe(201);
  await live.received(1);
  expect(live.results.map(({ data }) => data)).toEqual([{ instanceChanged: { name: 'early' } }]);
});

test("a subscription as long as a message may be is taken, and ends nobody else's", async () => {
  const [tenant, other] = [await world.tenant(), await world.tenant()];
  await using live = new Live(gateway.url, tenant.token, 'subscription { instanceChanged { name } }');
  await live.opened();
  const document = `subscription ($a: ID!, $b: ID!, $c: ID!, $d: ID!, $e: ID!) {
    commandProgressed(commandId: $a) {
      x: results(instanceId: $b, after: $c) { instanceId } y: results(instanceId: $d, after: $e) { instanceId }
    }
  }`;
  const variables = Object.fromEntries(['a', 'b', 'c', 'd', 'e'].map((name) => [name, name.repeat(209_600)]));
  await using long = new Live(gateway.url, other.token, document, { variables });
  await long.opened();
  await using later = new Live(gateway.url, other.token, 'subscription { instanceChanged { name } }');
  await later.opened();
  await other.node();
  await later.received(1);
  await tenant.node();
  await live.received(1);
  expect([live.error, long.error, long.results]).toEqual([undefined, undefined, []]);
});
