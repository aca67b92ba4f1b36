import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { Database } from '#platform/database/database.js';
import { silentLogger } from '#platform/logger.js';
import { encodePosition, isAfter, start, type Position } from '#platform/outbox/event.js';
import { endBeyond, endOfOutbox, newestOfOutbox, readAhead, readOutbox } from '#platform/outbox/reader.js';
import { OutboxTail } from '#platform/outbox/tail.js';
import { OutboxWake } from '#platform/outbox/wake.js';

import { Live } from '../support/live.js';
import { createTestDatabase, startTestPanel, type TestDatabase, type TestPanel } from '../support/panel.js';
import { until, type Tenant } from '../support/world.js';

let database: TestDatabase;
let fleet: Database;
let owner: pg.Client;
beforeAll(async () => {
  database = await createTestDatabase();
  fleet = await Database.open({
    area: 'fleet',
    url: database.url,
    entities: [],
    poolSize: 4,
    logger: silentLogger,
  });
  owner = new pg.Client({ connectionString: database.ownerUrl });
  await owner.connect();
});
afterAll(async () => {
  await owner.end();
  await fleet.close();
  await database.drop();
});

/** One transaction that writes `count` events; ids go on where the last one ended. */
async function publish(count: number): Promise<void> {
  await owner.query(
    `insert into fleet.outbox (event_id, tenant_id, topic, entity_id, payload, caused_by, occurred_at)
     select 'evt_' || n, 'org_a', 'fleet.instance.changed', 'inst_' || n, '{}', 'test', now()
     from generate_series(1, $1::int) n`,
    [count],
  );
}

test('events are read in the order of numbers, across every power of ten, within and between transactions', async () => {
  for (const count of [8, 5, 90, 1]) await publish(count);
  const read = async () => readOutbox(fleet.forJobs(), 'fleet', { after: start, limit: 1_000 });
  // Events are shown once no older transaction is open.
  await until(async () => (await read()).length > 103, 'the events');
  const events = await read();
  const ids = events.map(({ position }) => Number(position.id));
  expect(ids).toEqual(ids.toSorted((a, b) => a - b));
  expect(ids).toHaveLength(104);

  const pages: number[] = [];
  for (let after = start; ;) {
    const page = await readOutbox(fleet.forJobs(), 'fleet', { after, limit: 7 });
    pages.push(...page.map(({ position }) => Number(position.id)));
    if (page.length === 0) break;
    after = page.at(-1)!.position;
  }
  expect(pages).toEqual(ids);
});

test('a process that follows the outbox hands on every event of a large transaction, once and in order', async () => {
  const wake = new OutboxWake(fleet.connections, silentLogger);
  const tail = new OutboxTail(fleet, wake, silentLogger);
  await wake.start();
  await tail.start();
  const seen: number[] = [];
  tail.listen(({ position }) => seen.push(Number(position.id)));
  await publish(1_200);
  await until(async () => seen.length >= 1_200, 'all events');
  expect(seen).toEqual(seen.toSorted((a, b) => a - b));
  expect(seen).toHaveLength(1_200);
  await tail.stop();
  await wake.stop();
});

test('a transaction that commits late is not passed by', async () => {
  const late = new pg.Client({ connectionString: database.ownerUrl });
  await late.connect();
  await late.query('begin');
  await late.query(
    `insert into fleet.outbox (event_id, tenant_id, topic, entity_id, payload, caused_by, occurred_at)
     values ('evt_late', 'org_late', 'fleet.instance.changed', 'inst_late', '{}', 'test', now())`,
  );
  const before = await readOutbox(fleet.forJobs(), 'fleet', { after: start, limit: 5_000 });
  await publish(3);
  const during = await readOutbox(fleet.forJobs(), 'fleet', { after: start, limit: 5_000 });
  expect(during).toHaveLength(before.length);
  await late.query('commit');
  await late.end();
  const read = async () =>
    readOutbox(fleet.forJobs(), 'fleet', { after: before.at(-1)!.position, limit: 5_000 });
  await until(async () => (await read()).length > 3, 'the events');
  const after = await read();
  expect(after.map(({ eventId }) => eventId)).toEqual(['evt_late', 'evt_1', 'evt_2', 'evt_3']);
});

describe("a transaction in another of the server's databases", () => {
  let elsewhere: TestDatabase;
  let stranger: pg.Client;
  beforeAll(async () => {
    elsewhere = await createTestDatabase();
    stranger = new pg.Client({ connectionString: elsewhere.ownerUrl });
    await stranger.connect();
    await stranger.query('begin');
    await stranger.query(
      `insert into fleet.outbox (event_id, tenant_id, topic, entity_id, payload, caused_by, occurred_at)
       values ('evt_elsewhere', 'org_b', 'fleet.instance.changed', 'inst_b', '{}', 'test', now())`,
    );
  });
  afterAll(async () => {
    await stranger.end();
    await elsewhere.drop();
  });

  const reader = () => fleet.forJobs();

  test('holds no event up, while one in this database does', async () => {
    const after = await endOfOutbox(reader());
    const told = async () =>
      (await readOutbox(reader(), 'fleet', { after, limit: 10 })).map(({ eventId }) => eventId);
    await publish(1);
    await until(async () => (await told()).length > 0, 'the event');

    const late = new pg.Client({ connectionString: database.ownerUrl });
    await late.connect();
    await late.query('begin');
    await late.query(`delete from fleet.outbox where event_id = 'none' and txid_current() > 0`);
    await publish(2);
    await expect(told()).resolves.toEqual(['evt_1']);
    await expect(readAhead(reader(), 'fleet', { after, limit: 10 })).resolves.toMatchObject({
      events: [{ eventId: 'evt_1' }],
      hasUnsettled: true,
    });
    await late.query('commit');
    await late.end();
    await until(async () => (await told()).length === 3, 'the others');
  });

  test('takes nothing from a reader of what was seen settled', async () => {
    const after = await endOfOutbox(reader());
    await publish(3);
    const late = new pg.Client({ connectionString: database.ownerUrl });
    await late.connect();
    await late.query('begin');
    await late.query('select pg_current_xact_id()');
    await publish(1);
    const all = await owner.query<Position>(
      `select timeline::text, xid::text, id::text from fleet.outbox o order by o.id desc limit 4`,
    );
    const [unsettled, settledUntil] = all.rows as [Position, Position];
    const read = async (until: Position) =>
      (await readOutbox(reader(), 'fleet', { after, limit: 10, settledUntil: until })).length;
    await expect(read(settledUntil)).resolves.toBe(3);
    await expect(read(unsettled)).resolves.toBe(4);
    await late.query('commit');
    await late.end();
  });

  test('keeps a cursor from none of its events', async () => {
    const after = await endOfOutbox(reader());
    await publish(1);
    const [first] = await readOutbox(reader(), 'fleet', { after, limit: 1 });
    expect(isAfter(first!.position, after)).toBe(true);
    expect(isAfter(first!.position, await newestOfOutbox(reader()))).toBe(false);
    // What all have read of is removed no further than to the oldest transaction of all.
    const end = await endBeyond(reader(), 'fleet', after);
    expect(isAfter(first!.position, end!)).toBe(true);
  });
});

describe('a cursor', () => {
  const query = 'subscription { instanceChanged { name } }';
  let panel: TestPanel;
  let tenant: Tenant;
  let timeline: string;
  beforeAll(async () => {
    panel = await startTestPanel();
    tenant = await panel.world.tenant();
    await tenant.node('only');
    const [now] = await panel.sql<{ timeline: string }>(
      'select platform.current_timeline()::text as timeline',
    );
    timeline = now!.timeline;
  });
  afterAll(async () => panel.stop());

  const refused = async (after: string) => {
    await using live = new Live(panel.panel.url, tenant.token, query, { after });
    await live.ended();
    return live.firstErrorReason;
  };

  test('that is of another area or ahead of all events is refused as none', async () => {
    expect(await refused(encodePosition('identity', { timeline, xid: '0', id: '0' }))).toBe('CURSOR_INVALID');
    for (const xid of ['9223372036854775806', '9999999999999999999']) {
      expect(await refused(encodePosition('fleet', { timeline, xid, id: '5' }))).toBe('CURSOR_INVALID');
    }
  });

  test('that this database never gave is refused as one whose events are gone', async () => {
    const after = encodePosition('fleet', { timeline: '4711', xid: '1', id: '1' });
    expect(await refused(after)).toBe('CURSOR_EXPIRED');
  });

  test('of a panel that knew no timelines is understood until the server starts anew', async () => {
    const after = Buffer.from('fleet.1.1').toString('base64url');
    {
      await using live = new Live(panel.panel.url, tenant.token, query, { after });
      const [first] = await live.received(1);
      expect(first!.data).toEqual({ instanceChanged: { name: 'only' } });
    }
    await panel.sql('insert into platform.timeline select max(timeline) + 1, now() from platform.timeline');
    expect(await refused(after)).toBe('CURSOR_EXPIRED');
  });

  test('that is older than what is kept is refused as one whose events are gone', async () => {
    await panel.sql(`insert into fleet.outbox_removed (xid, id) values ('1', 1)`);
    expect(await refused(encodePosition('fleet', { timeline, xid: '0', id: '0' }))).toBe('CURSOR_EXPIRED');
  });
});

test('what was read together with the cursor, and a subscription after it, miss nothing', async () => {
  await using panel = await startTestPanel();
  const tenant = await panel.world.tenant();
  await tenant.node('before');
  const { data } = await tenant.graphql<{ fleetCursor: string; instances: { totalCount: number } }>(
    '{ fleetCursor instances { totalCount } }',
  );
  await tenant.node('between');
  await using live = new Live(panel.panel.url, tenant.token, 'subscription { instanceChanged { name } }', {
    after: data!.fleetCursor,
  });
  const names = () =>
    live.results.map((result) => (result.data as { instanceChanged: { name: string } }).instanceChanged.name);
  await live.untilLatest(() => names().at(-1) === 'between');
  expect(data!.instances.totalCount).toBe(1);
  // What was read already may be told once more, when an older transaction was still open; nothing is left out.
  expect(names().filter((name) => name !== 'before')).toEqual(['between']);
});
