import pg from 'pg';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';

import { Database } from '#platform/database/database.js';
import { silentLogger } from '#platform/logger.js';
import { Lease } from '#platform/membership/lease.js';
import { consumeLoop } from '#platform/outbox/consume.job.js';
import type { Consumer } from '#platform/outbox/consumer.js';
import { OutboxTail } from '#platform/outbox/tail.js';
import { OutboxWake } from '#platform/outbox/wake.js';

import { TestClock } from '../support/clock.js';
import { createTestDatabase, type TestDatabase } from '../support/panel.js';
import { until } from '../support/world.js';

let home: TestDatabase;
let owner: pg.Client;
let opened: Database[];
let platform: Database;
let fleet: Database;
let identity: Database;
let wake: OutboxWake;
let tail: OutboxTail;
beforeAll(async () => {
  home = await createTestDatabase();
  owner = new pg.Client({ connectionString: home.ownerUrl });
  await owner.connect();
  await owner.query(`create table fleet.heard (at integer generated always as identity, what text)`);
  await owner.query(`grant select, insert on fleet.heard to fleet_jobs`);
  opened = [];
  for (const area of ['platform', 'fleet', 'identity']) {
    const { url } = home;
    opened.push(await Database.open({ area, url, entities: [], poolSize: 4, logger: silentLogger }));
  }
  [platform, fleet, identity] = opened as [Database, Database, Database];
  wake = new OutboxWake(identity.connections, silentLogger);
  tail = new OutboxTail(identity, wake, silentLogger);
  await wake.start();
  await tail.start();
});
afterAll(async () => {
  await tail.stop();
  await wake.stop();
  for (const database of opened) await database.close();
  await owner.end();
  await home.drop();
});
beforeEach(async () => {
  await owner.query(
    'truncate fleet.heard, identity.outbox, platform.consumer_position, platform.unheard_topic',
  );
});

async function publish(topic: string, ...events: string[]): Promise<void> {
  for (const event of events)
    await owner.query(
      `insert into identity.outbox (event_id, tenant_id, topic, entity_id, payload, caused_by, occurred_at)
       values ($1, 'org_a', $2, 'x', '{}', 'test', now())`,
      [event, topic],
    );
}

const heard = async () =>
  (await owner.query<{ what: string }>('select what from fleet.heard order by at')).rows.map(
    ({ what }) => what,
  );

/** Fleet's consumers in a version, each of which writes down what it hears. */
const consumer = (version: string, topics: readonly string[], name?: string): Consumer => ({
  ...(name === undefined ? {} : { name }),
  topics,
  async handle({ em, event }) {
    await em.execute('insert into fleet.heard (what) values (?)', [
      `${version}: ${event.eventId}${name === undefined ? '' : ` by ${name}`}`,
    ]);
  },
});

/** A process of a version that leads until `isDone`, and ends then. */
async function leads(
  consumers: readonly Consumer[],
  isDone: (heardNow: readonly string[]) => boolean,
  waitedFor: string,
): Promise<void> {
  const lease = new Lease(
    platform,
    'fleet',
    { id: `process of ${waitedFor}`, knowsOthers: true },
    silentLogger,
  );
  await until(async () => {
    await lease.renew();
    return lease.current !== undefined;
  }, 'the lease');
  const loop = consumeLoop({
    database: fleet,
    consumers,
    source: identity,
    tail,
    lease,
    clock: new TestClock(),
    logger: silentLogger,
  });
  loop.start();
  await until(async () => isDone(await heard()), waitedFor);
  await loop.stop();
  await lease.stop();
}

const has = (what: string) => (heardNow: readonly string[]) => heardNow.includes(what);

test('what an older version passes over is told to the newer one once it leads, in whichever order they do', async () => {
  const older = [consumer('old', ['known'])];
  const newer = [consumer('new', ['known', 'novel'])];
  await publish('novel', 'n1');
  await publish('known', 'k1');
  await leads(older, has('old: k1'), 'k1');
  await publish('novel', 'n2', 'n3');
  await publish('known', 'k2');
  await leads(newer, (now) => has('new: n3')(now) && has('new: k2')(now), 'k2 and n3');
  await publish('novel', 'n4');
  await publish('known', 'k3');
  await leads(newer, (now) => has('new: n4')(now) && has('new: k3')(now), 'k3 and n4');
  await publish('novel', 'n5');
  await publish('known', 'k4');
  await leads(older, has('old: k4'), 'k4');
  await publish('novel', 'n6');
  await leads(newer, has('new: n6'), 'n6');
  const all = await heard();
  const of = (letter: string) => all.filter((each) => each.includes(`: ${letter}`));
  expect(of('k')).toEqual(['old: k1', 'new: k2', 'new: k3', 'old: k4']);
  expect(of('n')).toEqual(['n1', 'n2', 'n3', 'n4', 'n5', 'n6'].map((event) => `new: ${event}`));
});

test('a consumer that joins another of its topic is told what that one had alone', async () => {
  const first = consumer('old', ['known']);
  await publish('known', 'k1', 'k2');
  await leads([first], has('old: k2'), 'k2');
  await publish('known', 'k3');
  await leads([first, consumer('new', ['known'], 'second')], has('new: k3 by second'), 'k3');
  const all = await heard();
  expect(all.filter((each) => each.startsWith('old'))).toEqual(['old: k1', 'old: k2', 'old: k3']);
  expect(all.filter((each) => each.startsWith('new'))).toEqual(
    ['k1', 'k2', 'k3'].map((event) => `new: ${event} by second`),
  );
});

test('more than is read at once is told in its order', async () => {
  await publish('known', 'k0');
  await owner.query(
    `insert into identity.outbox (event_id, tenant_id, topic, entity_id, payload, caused_by, occurred_at)
     select case n % 100 when 0 then 'n' else 'x' end || n, 'org_a',
       case n % 100 when 0 then 'novel' else 'other' end, 'x', '{}', 'test', now() from generate_series(1, 12000) n`,
  );
  await publish('known', 'k1');
  await leads([consumer('old', ['known'])], has('old: k1'), 'k1');
  await leads([consumer('new', ['known', 'novel'])], has('new: n12000'), 'the last');
  const told = (await heard()).filter((each) => each.startsWith('new'));
  expect(told).toEqual(Array.from({ length: 120 }, (_, index) => `new: n${(index + 1) * 100}`));
}, 60_000);

test('a version from before this was kept, which moves on as it knows how, has passed over what it does not know', async () => {
  const { rows } = await owner.query<{ topics: string[] }>(
    `select platform.listened_before('fleet') as topics`,
  );
  const [known] = rows[0]!.topics as [string];
  const newer = [consumer('new', [...rows[0]!.topics, 'novel'])];
  /** Hears all that there is, as that version does. */
  const oldLeads = async () => {
    const last = await owner.query<{ parts: [string, string, string] }>(
      `select array[timeline::text, xid::text, id::text] as parts from identity.outbox
       order by timeline desc, xid desc, id desc limit 1`,
    );
    await owner.query('set role fleet_jobs');
    await owner.query(
      `select platform.move_consumer('fleet', 'identity', $1::bigint, $2::text, $3::bigint)`,
      last.rows[0]!.parts,
    );
    await owner.query('reset role');
  };
  await publish('novel', 'n1');
  await publish(known, 'k1');
  await oldLeads();
  await publish(known, 'k2');
  await leads(newer, (now) => has('new: n1')(now) && has('new: k2')(now), 'n1 and k2');
  await publish(known, 'k3');
  await publish('novel', 'n2');
  await oldLeads();
  await publish('novel', 'n3');
  await leads(newer, has('new: n3'), 'n3');
  expect((await heard()).toSorted()).toEqual(['new: k2', 'new: n1', 'new: n2', 'new: n3']);
});
