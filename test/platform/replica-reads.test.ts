import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';

import { SecondServer } from '../outbox/support/second-server.js';
import { Standby } from '../outbox/support/standby.js';
import { Live } from '../support/live.js';
import { startTestPanel, type TestPanel } from '../support/panel.js';
import { hasRedis, TestRedis } from '../support/redis.js';
import { until, World, type Tenant } from '../support/world.js';

let server: SecondServer;
let standby: Standby;
let redis: TestRedis | undefined;
let panel: TestPanel;
const isTried = hasRedis || process.env['CI'] !== undefined;
beforeAll(async () => {
  if (isTried) redis = await TestRedis.start();
  server = await SecondServer.start();
  const database = await server.newDatabase();
  const { dataDir, port } = server;
  standby = await Standby.of({ dataDir, port, ownerUrl: database.ownerUrl });
  const url = new URL(database.url);
  url.port = String(standby.port);
  panel = await startTestPanel(
    { DATABASE_READ_URL: url.href, ...(redis ? { REDIS_URL: redis.url } : {}) },
    'in process',
    database,
  );
}, 180_000);
afterAll(async () => {
  await panel.stop();
  await standby[Symbol.asyncDispose]();
  await server.stop();
  await redis?.[Symbol.asyncDispose]();
});

async function onStandby(text: string): Promise<void> {
  const client = new pg.Client({ connectionString: standby.ownerUrl });
  await client.connect();
  await client.query(text).finally(() => client.end());
}

afterEach(async () => onStandby('select pg_wal_replay_resume()').catch(() => undefined));

async function namesOf(tenant: Tenant): Promise<string[]> {
  const { status, body } = await tenant.rest<{ name: string }[]>('/api/fleet/instances');
  expect(status).toBe(200);
  return body.map(({ name }) => name);
}

/** Another's doing, of which no event tells. */
const rename = async (tenant: Tenant, name: string) =>
  panel.sql(`update fleet.instance set name = $2 where tenant_id = $1 and name not like 'new%'`, [
    tenant.id,
    name,
  ]);

let turn = 0;

/** Renames nodes while the replica stands still, until lists do not tell of it: it had all that the tenants were told of. */
async function leftBehind(...tenants: Tenant[]): Promise<string> {
  const shown = async () => JSON.stringify(await Promise.all(tenants.map(namesOf)));
  let name = '';
  await until(
    async () => {
      await standby.caughtUp();
      const before = await shown();
      await onStandby('select pg_wal_replay_pause()');
      name = `renamed-${(turn += 1)}`;
      for (const tenant of tenants) await rename(tenant, name);
      if ((await shown()) === before) return true;
      await onStandby('select pg_wal_replay_resume()');
      return false;
    },
    'lists to come from the replica',
    60_000,
  );
  return name;
}

describe.skipIf(!isTried)('with a replica to read from', () => {
  test('lists come from it; whoever has written sees what was written, at every panel', async () => {
    const other = await panel.another();
    const [writer, reader] = [await panel.world.tenant(), await panel.world.tenant()];
    for (const tenant of [writer, reader]) await tenant.node('old');
    // Behind as far as what others did.
    const renamed = await leftBehind(writer, reader);
    await writer.node('new');
    expect(await namesOf(writer)).toEqual([renamed, 'new']);
    expect(await namesOf(writer.at(new World(other.url, panel.clock)))).toEqual([renamed, 'new']);

    await onStandby('select pg_wal_replay_resume()');
    await standby.caughtUp();
    expect([await namesOf(writer), await namesOf(reader)]).toEqual([[renamed, 'new'], [renamed]]);
    // Nobody tells them of anything: a replica this far behind is read no more.
    const again = await leftBehind(writer);
    await until(async () => (await namesOf(writer))[0] === again, 'the primary to be read', 60_000);
    await onStandby('select pg_wal_replay_resume()');
  }, 180_000);

  test('whoever is shown a beat finds it in the lists', async () => {
    const tenant = await panel.world.tenant();
    const node = await tenant.node('beating');
    const query = 'subscription { metricsReported { cpuPercent } }';
    await using live = new Live(panel.panel.url, tenant.token, query);
    await live.opened();
    await node.beat();
    await live.received(1);
    await standby.caughtUp();
    await onStandby('select pg_wal_replay_pause()');
    await panel.clock.advance(10_000);
    await node.beat({ cpu_percent: 80 });
    await live.received(2);
    const list = '{ instances { nodes { cpuPercent } } }';
    expect((await tenant.graphql(list)).data).toEqual({ instances: { nodes: [{ cpuPercent: 80 }] } });
    await onStandby('select pg_wal_replay_resume()');
  }, 120_000);

  test('without Redis for a while the primary is read; without the replica too', async () => {
    const tenant = await panel.world.tenant();
    await tenant.node('old');
    const renamed = await leftBehind(tenant);
    const connected = await redis!.clients();
    await redis!.kill();
    expect(await namesOf(tenant)).toEqual([renamed]);
    await redis!.restart();
    // What it knew is lost; whatever there was when it came back is there for all.
    await until(async () => {
      expect(await namesOf(tenant)).toEqual([renamed]);
      return (await redis!.clients()) >= connected;
    }, 'the panel to reach it again');
    expect(await namesOf(tenant)).toEqual([renamed]);
    await onStandby('select pg_wal_replay_resume()');
    await standby[Symbol.asyncDispose]();
    await rename(tenant, 'once more');
    expect(await namesOf(tenant)).toEqual(['once more']);
  }, 120_000);
});
