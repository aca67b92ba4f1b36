import { randomUUID } from 'node:crypto';

import pg from 'pg';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';

import { schemaNames, schemas } from '#panel/areas.js';
import { migrateArea } from '#platform/database/migrate.js';
import { ensureRoles } from '#platform/database/roles.js';
import { silentLogger } from '#platform/logger.js';

const name = `t_${randomUUID().replaceAll('-', '')}`;
let server: pg.Client;
let owner: pg.Client;
let ownerUrl: string;

beforeAll(async () => {
  const url = new URL(inject('postgres').ownerUrl);
  server = new pg.Client({ connectionString: url.href });
  await server.connect();
  await server.query(`create database ${name}`);
  url.pathname = `/${name}`;
  ownerUrl = url.href;
  owner = new pg.Client({ connectionString: ownerUrl });
  await owner.connect();
});
afterAll(async () => {
  await owner.end();
  await server.query(`drop database ${name} with (force)`);
  await server.end();
});

/** Brings the database to the step before there were timelines, when there were these schemas only, or to the end. */
async function migrateUntil(isWanted: (step: string) => boolean, those = schemaNames): Promise<void> {
  await ensureRoles(owner, { areas: [...schemaNames], login: { name: 'panel_app' } });
  for (const { name: area, migrations } of schemas) {
    if (!those.includes(area)) continue;
    const steps = migrations.slice(0, migrations.findIndex((step) => !isWanted(step.name)) >>> 0);
    await migrateArea({ area, ownerUrl, migrations: steps, logger: silentLogger });
  }
}

async function publish(area: string, event: string, xid: string): Promise<void> {
  await owner.query(
    `insert into ${area}.outbox (xid, event_id, tenant_id, topic, entity_id, payload, caused_by, occurred_at)
     values (${xid}, $1, 'org_a', 'x', 'x', '{}', 'test', now())`,
    [event],
  );
}

/** What a consumer that stands where it stood reads from here on. */
async function leftFor(consumer: string, area: string): Promise<string[]> {
  const { rows } = await owner.query<{ event_id: string }>(
    `select o.event_id from ${area}.outbox o, platform.consumer_position p
     where p.consumer = $1 and p.source = $2 and (o.timeline, o.xid, o.id) > (p.timeline, p.xid, p.id)
     order by o.timeline, o.xid, o.id`,
    [consumer, area],
  );
  return rows.map(({ event_id }) => event_id);
}

test('positions from before there were timelines go on, in a database that was restored elsewhere too', async () => {
  await migrateUntil((step) => !step.endsWith('_timelines'), ['platform', 'identity', 'fleet']);
  // A dump of a server with higher ids was restored here, and the panel ran on it without noticing.
  await publish('identity', 'consumed', `'900000000'`);
  await publish('identity', 'missed', `'900000001'`);
  await publish('identity', 'unseen', 'pg_current_xact_id()');
  await owner.query(
    `insert into platform.consumer_position select 'fleet', 'identity', xid, id
     from identity.outbox where event_id = 'consumed'`,
  );
  // This one knows the server's own ids only.
  await publish('fleet', 'had', 'pg_current_xact_id()');
  await publish('fleet', 'next', 'pg_current_xact_id()');
  await owner.query(
    `insert into platform.consumer_position select 'identity', 'fleet', xid, id
     from fleet.outbox where event_id = 'had'`,
  );

  await migrateUntil(() => true);
  await publish('identity', 'since', 'pg_current_xact_id()');
  await publish('fleet', 'since', 'pg_current_xact_id()');
  expect(await leftFor('fleet', 'identity')).toEqual(['missed', 'unseen', 'since']);
  expect(await leftFor('identity', 'fleet')).toEqual(['next', 'since']);
});

test('a server that was here before and comes again begins a timeline, after all that there were', async () => {
  const current = async () => {
    const { rows } = await owner.query<{ timeline: string }>('select platform.record_timeline() as timeline');
    return BigInt(rows[0]!.timeline);
  };
  const before = await current();
  expect(await current()).toBe(before);
  // In between the database was on another server, which had started long ago.
  await owner.query(`insert into platform.timeline values ($1, '2001-01-01')`, [String(before + 5n)]);
  const after = await current();
  expect(after).toBeGreaterThan(before + 5n);
  expect(await current()).toBe(after);
});
