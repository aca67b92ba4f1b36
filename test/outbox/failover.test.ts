import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { settled, verify } from '../identity/audit/support.js';
import { Live } from '../support/live.js';
import type { TestPanel } from '../support/panel.js';
import { until, type Tenant } from '../support/world.js';
import { horizonOf, spendTransactions } from './support/database-copy.js';
import { Pair } from './support/pair.js';
import { SecondServer } from './support/second-server.js';

let server: SecondServer;
beforeAll(async () => {
  server = await SecondServer.start();
});
afterAll(async () => server.stop());

const changes = 'subscription { instanceChanged { name } }';

const namesOf = (live: Live) =>
  live.results.map(({ data }) => (data?.['instanceChanged'] as { name: string } | undefined)?.name);

/** Every event that the trail is told of is in it once, and it verifies. */
async function assertTrail(panel: TestPanel, tenant: Tenant): Promise<number> {
  await settled(panel, tenant.id);
  expect(await verify(tenant)).toMatchObject({ isIntact: true, brokenAt: null });
  const rows = await panel.sql<{ event_id: string }>(
    'select event_id from identity.audit_event where tenant_id = $1',
    [tenant.id],
  );
  expect(new Set(rows.map(({ event_id }) => event_id)).size).toBe(rows.length);
  return rows.length;
}

const transactionOf = (cursor: string) =>
  Number(Buffer.from(cursor, 'base64url').toString('utf8').split('.').at(-2));

test('a standby that is promoted with everything goes on: no event is skipped, none comes twice', async () => {
  await using pair = await Pair.on(server);
  const { panel } = pair;
  const tenant = await (await panel.world.tenant()).grantPlan('PRO');
  await using live = new Live(panel.panel.url, tenant.token, changes);
  await live.opened();
  await tenant.node('before');
  await live.untilLatest((each) => namesOf(each).at(-1) === 'before');
  const trail = await assertTrail(panel, tenant);
  await pair.standby.caughtUp();

  await pair.failOver();
  await until(async () => (await tenant.instanceLimit()) === 25, 'the panel to be back');
  await tenant.grantPlan('ENTERPRISE');
  await tenant.node('since');
  await live.untilLatest((each) => namesOf(each).at(-1) === 'since');
  expect(namesOf(live)).toEqual(['before', 'since']);
  expect(await assertTrail(panel, tenant)).toBeGreaterThan(trail);
  expect(await panel.sql('select from platform.parked_event')).toEqual([]);
}, 180_000);

test('a standby that is promoted without the last writes skips nothing that it commits, though its transaction ids are used again', async () => {
  await using pair = await Pair.on(server);
  const { panel, standby } = pair;
  const tenant = await (await panel.world.tenant()).grantPlan('PRO');
  await using live = new Live(panel.panel.url, tenant.token, changes);
  await live.opened();
  await tenant.node('before');
  await live.untilLatest((each) => namesOf(each).at(-1) === 'before');
  const kept = live.lastCursor!;
  await assertTrail(panel, tenant);
  await standby.caughtUp();

  standby.fallBehind();
  await spendTransactions(panel.database.ownerUrl, 3_000);
  await tenant.node('lost');
  await live.untilLatest((each) => namesOf(each).at(-1) === 'lost');
  const lost = live.lastCursor!;
  await pair.failOver();
  expect(await horizonOf(standby.ownerUrl)).toBeLessThan(transactionOf(lost) - 1_000);

  // What it was told of is no part of the database: it is told so, rather than left with it.
  await live.ended();
  expect(live.firstErrorReason).toBe('CURSOR_EXPIRED');
  await until(async () => (await tenant.instanceLimit()) === 25, 'the panel to be back');
  await using again = new Live(panel.panel.url, tenant.token, changes);
  await again.opened();
  await tenant.grantPlan('ENTERPRISE');
  await tenant.node('since');
  await again.untilLatest((each) => namesOf(each).at(-1) === 'since');
  expect(await horizonOf(standby.ownerUrl)).toBeLessThan(transactionOf(lost));
  expect(namesOf(again)).toEqual(['since']);
  await assertTrail(panel, tenant);

  await using resumed = new Live(panel.panel.url, tenant.token, changes, { after: kept });
  await resumed.untilLatest((each) => namesOf(each).at(-1) === 'since');
  expect(namesOf(resumed)).toEqual(['since']);
  await using stale = new Live(panel.panel.url, tenant.token, changes, { after: lost });
  await stale.ended();
  expect(stale.firstErrorReason).toBe('CURSOR_EXPIRED');
  expect(server.port).not.toBe(standby.port);
}, 180_000);

test('what a consumer had done, and the server that took over lacks, is done again', async () => {
  await using pair = await Pair.on(server);
  const { panel, standby } = pair;
  const [tenant, other] = [await panel.world.tenant(), await panel.world.tenant()];
  await other.grantPlan('PRO');
  const holder = new pg.Client({ connectionString: panel.database.ownerUrl });
  await holder.connect();
  await holder.query('begin; lock table fleet.entitlement in access exclusive mode');
  const granting = tenant.grantPlan('PRO');
  const granted = async () =>
    panel.sql(`select from identity.outbox where tenant_id = $1 and topic = 'billing.entitlement.granted'`, [
      tenant.id,
    ]);
  await until(async () => (await granted()).length > 0, 'the grant to be told of');
  await standby.caughtUp();
  standby.fallBehind();
  await holder.query('commit');
  await granting;

  await holder.end();
  await pair.failOver();
  await until(async () => (await other.instanceLimit()) === 25, 'the panel to be back');
  expect(await tenant.instanceLimit()).toBe(3);
  // What comes next is not all that there is to do.
  await other.grantPlan('ENTERPRISE');
  await until(async () => (await tenant.instanceLimit()) === 25, 'the grant to be known again');
}, 180_000);

test('a server that was replaced is read no more, although it goes on', async () => {
  await using pair = await Pair.on(server, { readsOld: true });
  const { panel } = pair;
  const [writer, reader] = [await panel.world.tenant(), await panel.world.tenant()];
  for (const tenant of [writer, reader]) await tenant.node('before');
  const namesSeenBy = async (tenant: Tenant) => {
    const { status, body } = await tenant.rest<{ name: string }[]>('/api/fleet/instances');
    return status === 200 ? body.map(({ name }) => name) : [];
  };
  expect(await namesSeenBy(reader)).toEqual(['before']);
  await pair.standby.caughtUp();

  await pair.failOver();
  await until(async () => (await writer.instanceLimit()) !== undefined, 'the panel to be back');
  await writer.node('since');
  expect(await namesSeenBy(writer)).toEqual(['before', 'since']);
  await panel.sql('update fleet.instance set name = $2 where tenant_id = $1', [reader.id, 'renamed']);
  await until(
    async () => (await namesSeenBy(reader))[0] === 'renamed',
    'the one that took over to be read',
    60_000,
  );
}, 180_000);
