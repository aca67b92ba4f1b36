import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { Connections } from '#platform/database/connections.js';
import { Database } from '#platform/database/database.js';
import { systemEm } from '#platform/database/system-em.js';
import { silentLogger } from '#platform/logger.js';
import { assertHeld, Lease } from '#platform/membership/lease.js';
import { Leases } from '#platform/membership/leases.js';
import { othersBackWithinMs, ProcessSession } from '#platform/membership/process-session.js';

import { createTestDatabase, type TestDatabase } from '../support/panel.js';
import { until } from '../support/world.js';

let database: TestDatabase;
let platform: Database;
let fleet: Database;
let owner: pg.Client;
const processes = new Map<string, Connections>();
const sessions = new Map<string, ProcessSession>();
beforeAll(async () => {
  database = await createTestDatabase();
  owner = new pg.Client({ connectionString: database.ownerUrl });
  await owner.connect();
  const open = async (area: string) =>
    Database.open({ area, url: database.url, entities: [], poolSize: 5, logger: silentLogger });
  [platform, fleet] = [await open('platform'), await open('fleet')];
});
afterAll(async () => {
  await Promise.all([...processes.values()].map((connections) => connections.close()));
  await owner.end();
  await platform.close();
  await fleet.close();
  await database.drop();
});

/** A process's end of a lease; its session is what tells others that it lives. */
async function contender(name: string, process: string): Promise<Lease> {
  return new Lease(platform, name, await sessionOf(process), silentLogger);
}

async function sessionOf(process: string): Promise<ProcessSession> {
  const connections = new Connections(database.url);
  const session = new ProcessSession(connections, process, silentLogger);
  await session.start();
  processes.set(process, connections);
  sessions.set(process, session);
  return session;
}

const expire = async (name: string) =>
  platform
    .anonymous()
    .execute(`update platform.lease set expires_at = now() - interval '1 second' where name = ?`, [name]);

test('the lease of a process that has ended is taken before its time is over', async () => {
  const [killed, next] = [await contender('d', 'killed'), await contender('d', 'successor')];
  await killed.renew();
  await next.renew();
  expect(next.current).toBeUndefined();
  await sessions.get('killed')!.stop();
  await until(async () => {
    await next.renew();
    return next.current !== undefined;
  }, 'the successor to hold the lease');
  expect(next.current?.epoch).toBe('2');
  await killed.stop();
  await next.stop();
});

test('after an outage of the database nobody takes the lease of a process that is not back yet, but after a while', async () => {
  const [holder, other] = [await contender('e', 'not back'), await contender('e', 'back')];
  await holder.renew();
  await other.renew();
  await sessions.get('not back')!.stop();
  const lockHolder = async () =>
    (
      await owner.query<{ pid: number }>(
        `select pid from pg_locks where locktype = 'advisory' and objid = (hashtext($1) & 2147483647)`,
        [sessions.get('back')!.id],
      )
    ).rows[0]?.pid;
  const pid = await lockHolder();
  await owner.query('select pg_terminate_backend($1)', [pid]);
  await until(async () => ![undefined, pid].includes(await lockHolder()), 'the session to be back');
  await other.renew();
  expect(other.current).toBeUndefined();
  await until(
    async () => {
      await other.renew();
      return other.current !== undefined;
    },
    'the other one to hold the lease',
    60_000,
  );
  await holder.stop();
  await other.stop();
});

test('whose own session the server does not see takes nothing from others, whatever it believes', async () => {
  const holder = await contender('f', 'gone');
  await holder.renew();
  await sessions.get('gone')!.stop();
  const unseen = new Lease(platform, 'f', { id: 'unseen', knowsOthers: true }, silentLogger);
  await unseen.renew();
  expect(unseen.current).toBeUndefined();
  await holder.stop();
});

test('a connection that is lost again before all has begun on it is no return: nobody is taken for gone meanwhile', async () => {
  const [holder, other] = [await contender('g', 'late'), await contender('g', 'early')];
  await holder.renew();
  await sessions.get('late')!.stop();
  const { standing } = processes.get('early')!;
  const attempts: number[] = [];
  const lost: unknown[] = [];
  await standing.take({
    begin: async () => {
      attempts.push(performance.now());
      // The first one stands; then each is lost, for as long as others are waited for.
      const [, again] = attempts;
      if (again !== undefined && performance.now() - again < othersBackWithinMs)
        throw new Error('lost again');
    },
    end: async () => undefined,
    lost: (error) => lost.push(error),
  });
  const [{ pid }] = (await standing.query<{ pid: number }>('select pg_backend_pid() as pid')) as [
    { pid: number },
  ];
  await owner.query('select pg_terminate_backend($1)', [pid]);
  await until(
    async () => attempts.length > 2 && attempts.at(-1)! - attempts[1]! >= othersBackWithinMs,
    'it to stand again',
    60_000,
  );
  await other.renew();
  expect([other.current, sessions.get('early')!.knowsOthers, lost.length]).toEqual([undefined, false, 1]);
  await holder.stop();
  await other.stop();
});

test('one of several processes holds a lease, and another gets it at once when it is given up', async () => {
  const [first, second] = [await contender('a', 'first'), await contender('a', 'second')];
  await first.renew();
  await second.renew();
  expect([first.current?.holder, second.current]).toEqual([sessions.get('first')!.id, undefined]);
  await first.stop();
  await second.renew();
  expect(second.current).toEqual({ name: 'a', holder: sessions.get('second')!.id, epoch: '2' });
  await second.stop();
});

test('a process that is to take nothing more keeps what it has, and leaves to others what is free or lost', async () => {
  const [ending, other] = [await contender('h', 'ending'), await contender('h', 'other')];
  await ending.renew();
  ending.keep();
  await expire('h');
  await ending.renew();
  await other.renew();
  expect([ending.current?.epoch, other.current]).toEqual(['1', undefined]);
  await expire('h');
  await other.renew();
  await ending.renew();
  expect([ending.current, other.current?.epoch]).toEqual([undefined, '2']);
  await other.stop();
  await ending.renew();
  expect(ending.current).toBeUndefined();
  const taken = await owner.query(`select holder from platform.lease where name = 'h'`);
  expect(taken.rows).toEqual([{ holder: '' }]);
});

test('a lease that is granted while it is given up is given back', async () => {
  const ending = await contender('i', 'overtaken');
  const asked = ending.renew();
  await ending.stop();
  await asked;
  const taken = await owner.query(`select holder from platform.lease where name = 'i'`);
  expect([taken.rows, ending.current]).toEqual([[{ holder: '' }], undefined]);
});

test('a process that lost its lease without knowing it can write nothing', async () => {
  const [frozen, next] = [await contender('b', 'frozen'), await contender('b', 'next')];
  await frozen.renew();
  const grant = frozen.current!;
  await expire('b');
  await next.renew();
  expect(next.current?.holder).toBe(sessions.get('next')!.id);
  const write = systemEm(fleet).transactional(async (em) => assertHeld(em, grant));
  await expect(write).rejects.toThrow(/no longer held with epoch 1/);
  await systemEm(fleet).transactional(async (em) => assertHeld(em, next.current!));
  await frozen.stop();
  await next.stop();
});

test('the lease does not change hands before a write under it has ended', async () => {
  const [holder, next] = [await contender('c', 'holder'), await contender('c', 'next')];
  await holder.renew();
  const grant = holder.current!;
  await expire('c');
  const order: string[] = [];
  let takeover: Promise<unknown> | undefined;
  await systemEm(fleet).transactional(async (em) => {
    await assertHeld(em, grant);
    takeover = next.renew().then(() => order.push('taken'));
    await until(async () => isWaitingForLock(), 'the other process to wait for the lease');
    order.push('written');
  });
  await takeover;
  expect([order, next.current?.epoch]).toEqual([['written', 'taken'], '2']);
  await holder.stop();
  await next.stop();
});

/** All that a process has of the leases of these names. */
async function contenderForAll(names: readonly string[], process: string): Promise<Leases> {
  const session = await sessionOf(process);
  const each = names.map((name) => new Lease(platform, name, session, silentLogger));
  return new Leases(each, platform, session, silentLogger);
}

const rowsOf = async (names: readonly string[]) =>
  (
    await owner.query<{ name: string; holder: string; epoch: string; transaction: string; ends: Date }>(
      `select name, split_part(holder, '/', 1) as holder, epoch::text as epoch, xmin::text as transaction,
         expires_at as ends from platform.lease where name = any($1) order by name`,
      [names],
    )
  ).rows;

test('all leases of a process are renewed in one transaction, which takes what is free as well', async () => {
  const names = ['all-1', 'all-2', 'all-3'];
  const holder = await contenderForAll(names, 'of-all');
  await holder.renew();
  expect(holder.all.map(({ current }) => current?.epoch)).toEqual(['1', '1', '1']);
  const other = await contenderForAll(names, 'of-none');
  await other.renew();
  expect(other.all.map(({ current }) => current)).toEqual([undefined, undefined, undefined]);
  const before = await rowsOf(names);
  await holder.renew();
  const after = await rowsOf(names);
  expect(after.map(({ epoch }) => epoch)).toEqual(['1', '1', '1']);
  expect(after.every(({ ends }, at) => ends > before[at]!.ends)).toBe(true);
  expect(new Set(after.map(({ transaction }) => transaction)).size).toBe(1);

  await expire('all-2');
  await other.renew();
  expect(other.all.map(({ current }) => current?.epoch)).toEqual([undefined, '2', undefined]);
  await holder.renew();
  expect(holder.all.map(({ current }) => current?.epoch)).toEqual(['1', undefined, '1']);
  other.keep();
  await holder.stop();
  await other.renew();
  expect((await rowsOf(names)).map(({ holder: by }) => by)).toEqual(['', 'of-none', '']);
  await other.stop();
});

test('a lease under which somebody is writing holds up no other, of this process or of another', async () => {
  const names = ['busy-1', 'busy-2'];
  const holder = await contenderForAll(names, 'of-busy');
  await holder.renew();
  const other = await contenderForAll(names, 'beside-busy');
  const [before] = (await rowsOf(names)).slice(1);
  const order: string[] = [];
  let renewal: Promise<unknown> | undefined;
  await systemEm(fleet).transactional(async (em) => {
    await assertHeld(em, holder.all[0]!.current!);
    // What is held by somebody who lives is looked at, and not waited for.
    await other.renew();
    renewal = holder.renew().then(() => order.push('both'));
    await until(async () => (await rowsOf(names))[1]!.ends > before!.ends, 'the other lease to be renewed');
    await until(async () => isWaitingForLock(), 'the lease to be asked for by itself');
    order.push('written');
  });
  await renewal;
  expect(order).toEqual(['written', 'both']);
  expect(holder.all.map(({ current }) => current?.epoch)).toEqual(['1', '1']);
  await holder.stop();
  await other.stop();
});

async function isWaitingForLock(): Promise<boolean> {
  const { rows } = await owner.query<{ waits: boolean }>(
    `select exists (
       select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'
     ) as waits`,
  );
  return rows[0]?.waits ?? false;
}
