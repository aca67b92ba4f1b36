import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { Database } from '#platform/database/database.js';
import { systemEm } from '#platform/database/system-em.js';
import { silentLogger } from '#platform/logger.js';
import { assertHeld, Lease } from '#platform/membership/lease.js';

import { createTestDatabase, type TestDatabase } from '../support/panel.js';
import { until } from '../support/world.js';

let database: TestDatabase;
let platform: Database;
let fleet: Database;
let owner: pg.Client;
beforeAll(async () => {
  database = await createTestDatabase();
  owner = new pg.Client({ connectionString: database.ownerUrl });
  await owner.connect();
  const open = async (area: string) =>
    Database.open({ area, url: database.url, entities: [], poolSize: 5, logger: silentLogger });
  [platform, fleet] = [await open('platform'), await open('fleet')];
});
afterAll(async () => {
  await owner.end();
  await platform.close();
  await fleet.close();
  await database.drop();
});

const expire = async (name: string) =>
  platform
    .anonymous()
    .execute(`update platform.lease set expires_at = now() - interval '1 second' where name = ?`, [name]);

test('one of several processes holds a lease, and another gets it at once when it is given up', async () => {
  const [first, second] = [
    new Lease(platform, 'a', 'first', silentLogger),
    new Lease(platform, 'a', 'second', silentLogger),
  ];
  await first.start();
  await second.start();
  expect([first.current?.holder, second.current]).toEqual(['first', undefined]);
  await first.stop();
  await second.renew();
  expect(second.current).toEqual({ name: 'a', holder: 'second', epoch: '2' });
  await second.stop();
});

test('a process that lost its lease without knowing it can write nothing', async () => {
  const [frozen, next] = [
    new Lease(platform, 'b', 'frozen', silentLogger),
    new Lease(platform, 'b', 'next', silentLogger),
  ];
  await frozen.start();
  const grant = frozen.current!;
  await expire('b');
  await next.start();
  expect(next.current?.holder).toBe('next');
  const write = systemEm(fleet).transactional(async (em) => assertHeld(em, grant));
  await expect(write).rejects.toThrow(/no longer held with epoch 1/);
  await systemEm(fleet).transactional(async (em) => assertHeld(em, next.current!));
  await frozen.stop();
  await next.stop();
});

test('the lease does not change hands before a write under it has ended', async () => {
  const [holder, next] = [
    new Lease(platform, 'c', 'holder', silentLogger),
    new Lease(platform, 'c', 'next', silentLogger),
  ];
  await holder.start();
  const grant = holder.current!;
  await expire('c');
  const order: string[] = [];
  let takeover: Promise<unknown> | undefined;
  await systemEm(fleet).transactional(async (em) => {
    await assertHeld(em, grant);
    takeover = next.start().then(() => order.push('taken'));
    await until(async () => isWaitingForLock(), 'the other process to wait for the lease');
    order.push('written');
  });
  await takeover;
  expect([order, next.current?.holder]).toEqual([['written', 'taken'], 'next']);
  await holder.stop();
  await next.stop();
});

async function isWaitingForLock(): Promise<boolean> {
  const { rows } = await owner.query<{ waits: boolean }>(
    `select exists (
       select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'
     ) as waits`,
  );
  return rows[0]?.waits ?? false;
}
