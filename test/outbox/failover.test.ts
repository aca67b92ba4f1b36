import { expect, test } from 'vitest';

import { settled, verify } from '../identity/audit/support.js';
import { Live } from '../support/live.js';
import { startTestPanel, type TestPanel } from '../support/panel.js';
import { SwitchedAddress } from '../support/switched-address.js';
import { until, type Tenant } from '../support/world.js';
import { horizonOf, spendTransactions } from './support/database-copy.js';
import { SecondServer } from './support/second-server.js';
import { Standby } from './support/standby.js';

const changes = 'subscription { instanceChanged { name } }';

/** A panel that reaches its server as through a proxy, and a standby of that server. */
class Pair implements AsyncDisposable {
  private constructor(
    readonly server: SecondServer,
    readonly standby: Standby,
    readonly address: SwitchedAddress,
    readonly panel: TestPanel,
  ) {}

  static async start(): Promise<Pair> {
    const server = await SecondServer.start();
    const database = await server.newDatabase();
    const { dataDir, port } = server;
    const standby = await Standby.of({ dataDir, port, ownerUrl: database.ownerUrl });
    const address = await SwitchedAddress.open(port);
    const panel = await startTestPanel({}, 'in process', {
      ...database,
      url: address.through(database.url),
      ownerUrl: address.through(database.ownerUrl),
      drop: async () => undefined,
    });
    return new Pair(server, standby, address, panel);
  }

  /** The primary is gone, and the standby takes its place at the address. */
  async failOver(): Promise<void> {
    this.address.cut();
    this.standby.fallBehind();
    await this.standby.promote();
    this.address.switchTo(this.standby.port);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.panel.stop();
    await this.address[Symbol.asyncDispose]();
    await this.standby[Symbol.asyncDispose]();
    await this.server.stop();
  }
}

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
  await using pair = await Pair.start();
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
  await using pair = await Pair.start();
  const { panel, standby, server } = pair;
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
