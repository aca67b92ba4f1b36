import { afterAll, beforeAll, expect, inject, test } from 'vitest';

import { settled, trailOf, verify } from '../identity/audit/support.js';
import { Live } from '../support/live.js';
import { createTestDatabase, startTestPanel, type TestPanel } from '../support/panel.js';
import { SwitchedAddress } from '../support/switched-address.js';
import { until, World, type Tenant } from '../support/world.js';
import { copyDatabase, horizonOf, spendTransactions } from './support/database-copy.js';
import { SecondServer } from './support/second-server.js';

const changes = 'subscription { instanceChanged { name } }';

let second: SecondServer;
beforeAll(async () => {
  second = await SecondServer.start();
});
afterAll(async () => second.stop());

/** A panel whose server has given out many more transaction ids than the second one. */
async function startOldPanel(address?: SwitchedAddress): Promise<TestPanel> {
  const database = await createTestDatabase();
  await spendTransactions(database.ownerUrl, 5_000);
  const url = address ? address.through(database.url) : database.url;
  return startTestPanel({}, 'in process', { ...database, url });
}

async function assertLower(old: TestPanel): Promise<void> {
  const { ownerUrl } = old.database;
  const now = await second.newDatabase();
  expect(await horizonOf(now.ownerUrl)).toBeLessThan((await horizonOf(ownerUrl)) - 1_000);
  await now.drop();
}

/** The names that a subscriber was told of, in order. */
const namesOf = (live: Live) =>
  live.results.map(({ data }) => (data?.['instanceChanged'] as { name: string } | undefined)?.name);

/** Everything that was told to the trail is in it, once, and it verifies. */
async function assertTrail(panel: TestPanel, tenant: Tenant): Promise<string[]> {
  await settled(panel, tenant.id);
  expect(await verify(tenant)).toMatchObject({ isIntact: true, brokenAt: null });
  const rows = await panel.sql<{ event_id: string }>(
    'select event_id from identity.audit_event where tenant_id = $1 order by sequence',
    [tenant.id],
  );
  const ids = rows.map(({ event_id }) => event_id);
  expect(new Set(ids).size).toBe(ids.length);
  return ids;
}

test('a dump restored to a fresh server goes on where it was: what was not consumed is, what was is not again', async () => {
  await using old = await startOldPanel();
  await assertLower(old);
  const tenant = await (await old.world.tenant()).grantPlan('PRO');
  const live = new Live(old.panel.url, tenant.token, changes);
  await live.opened();
  const node = await tenant.node('before');
  await node.beat();
  await live.received(1);
  const after = live.lastCursor!;
  const trail = await assertTrail(old, tenant);
  await live.close();
  await old.panel.stop();
  // Committed while nobody was there to take it in: a plan for fleet, and a change for the subscriber.
  await old.sql(`update identity.tenant set plan = 'ENTERPRISE', plan_version = 2 where id = $1`, [
    tenant.id,
  ]);
  await old.sql(
    `insert into identity.outbox (event_id, tenant_id, topic, entity_id, entity_version, payload, caused_by, occurred_at)
     select 'evt_missed', tenant_id, topic, entity_id, entity_version + 1,
       payload || '{"version": 2, "plan": "ENTERPRISE", "limits": {"instances": 77}}', 'test', occurred_at
     from identity.outbox where topic = 'billing.entitlement.granted' and tenant_id = $1`,
    [tenant.id],
  );
  await old.sql(
    `insert into fleet.outbox (event_id, tenant_id, topic, entity_id, entity_version, payload, caused_by, occurred_at)
     select 'evt_later', tenant_id, topic, entity_id, entity_version, payload, 'test', occurred_at
     from fleet.outbox where topic = 'fleet.instance.changed' and tenant_id = $1 order by xid desc, id desc limit 1`,
    [tenant.id],
  );

  const restored = await second.newDatabase();
  await copyDatabase(old.database.ownerUrl, restored.ownerUrl);
  await using panel = await startTestPanel({}, 'in process', restored);
  const now = tenant.at(panel.world);
  await until(async () => (await now.instanceLimit()) === 77, 'the plan that was not consumed');
  expect((await assertTrail(panel, now)).slice(0, trail.length)).toEqual(trail);

  await using resumed = new Live(panel.panel.url, tenant.token, changes, { after });
  await resumed.untilLatest((each) => each.results.length > 0);
  await now.node('since');
  await resumed.untilLatest((each) => namesOf(each).at(-1) === 'since');
  expect([...new Set(namesOf(resumed))]).toEqual(['before', 'since']);

  await now.grantPlan('PRO');
  expect((await trailOf(now)).totalCount).toBeGreaterThan(trail.length);
  await assertTrail(panel, now);
  expect(await panel.sql('select event_id, problem from platform.parked_event')).toEqual([]);
});

test('a running panel whose server is replaced by one that lost nothing follows it: streams go on, nothing twice', async () => {
  await using address = await SwitchedAddress.open(Number(new URL(inject('postgres').ownerUrl).port));
  await using old = await startOldPanel(address);
  await assertLower(old);
  const tenant = await (await old.world.tenant()).grantPlan('PRO');
  await using live = new Live(old.panel.url, tenant.token, changes);
  await live.opened();
  await tenant.node('before');
  await live.untilLatest((each) => namesOf(each).at(-1) === 'before');
  const trail = await assertTrail(old, tenant);

  address.cut();
  const restored = await second.newDatabase(old.database.name);
  await copyDatabase(old.database.ownerUrl, restored.ownerUrl);
  address.switchTo(second.port);
  await until(async () => (await tenant.instanceLimit()) === 25, 'the panel to be back');
  await tenant.grantPlan('ENTERPRISE');
  await tenant.node('since');
  await live.untilLatest((each) => namesOf(each).at(-1) === 'since');
  expect(namesOf(live)).toEqual(['before', 'since']);
  const goneOn = await assertTrail({ ...old, sql: restored.sql }, tenant);
  expect(goneOn.slice(0, trail.length)).toEqual(trail);
  expect(goneOn.length).toBeGreaterThan(trail.length);
});

test('a running panel whose database is put back to an earlier state ends its streams and follows what comes then', async () => {
  await using address = await SwitchedAddress.open(Number(new URL(inject('postgres').ownerUrl).port));
  await using old = await startOldPanel(address);
  const tenant = await old.world.tenant();
  await tenant.node('before');
  await settled(old, tenant.id);
  const restored = await second.newDatabase(old.database.name);
  await copyDatabase(old.database.ownerUrl, restored.ownerUrl);
  // What happened after the dump, under a server whose timeline is far ahead of any that the second one will have.
  await old.sql(
    `insert into platform.timeline
     select max(timeline) * 1000, pg_postmaster_start_time() from platform.timeline`,
  );
  await using live = new Live(old.panel.url, tenant.token, changes);
  await live.opened();
  await tenant.node('lost');
  await live.untilLatest((each) => namesOf(each).at(-1) === 'lost');

  address.cut();
  address.switchTo(second.port);
  await live.ended();
  expect(live.firstErrorReason).toBe('CURSOR_EXPIRED');
  await using again = new Live(old.panel.url, tenant.token, changes);
  await again.opened();
  // What the panel's own world asks of the database it asks of the one from before.
  await tenant.at(new World(old.panel.url, old.clock)).grantPlan('PRO');
  await tenant.node('since');
  await again.untilLatest((each) => namesOf(each).at(-1) === 'since');
  await using stale = new Live(old.panel.url, tenant.token, changes, { after: live.lastCursor });
  await stale.ended();
  expect(stale.firstErrorReason).toBe('CURSOR_EXPIRED');
});
