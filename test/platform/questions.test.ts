import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { Connections } from '#platform/database/connections.js';
import { patience, withPatience } from '#platform/database/patience.js';

import { createTestDatabase, type TestDatabase } from '../support/panel.js';

let database: TestDatabase;
let connections: Connections;
beforeAll(async () => {
  database = await createTestDatabase();
  connections = new Connections(database.url);
});
afterAll(async () => {
  await connections.close();
  await database.drop();
});

const whoSql = `select current_setting('role') as role, pg_current_xact_id()::text as transaction,
  nullif(current_setting('app.tenant_id', true), '') as tenant`;

test('what is asked in one moment is one transaction, each as its own role and for no tenant', async () => {
  const { questions } = connections;
  const roles = ['fleet_jobs', 'identity_app', 'fleet_jobs', 'billing_jobs'];
  const answers = (await Promise.all(roles.map((role) => questions.ask(role, whoSql)))).flat();
  expect(answers.map(({ role, tenant }) => ({ role, tenant }))).toEqual(
    roles.map((role) => ({ role, tenant: null })),
  );
  expect(new Set(answers.map(({ transaction }) => transaction)).size).toBe(1);
  const [later] = await questions.ask('fleet_jobs', whoSql);
  expect(later!['transaction']).not.toBe(answers[0]!['transaction']);
});

test('a question that the server refuses takes no answer from the others', async () => {
  const { questions } = connections;
  const [before, refused, foreign, after] = await Promise.allSettled([
    questions.ask('fleet_jobs', 'select 1 as n'),
    questions.ask('fleet_jobs', 'select nothing_of_this_name'),
    questions.ask('identity_jobs', 'select 1 from fleet.instance'),
    questions.ask('identity_jobs', 'select n from generate_series(1, 2) n'),
  ]);
  expect([before, after]).toEqual([
    { status: 'fulfilled', value: [{ n: 1 }] },
    { status: 'fulfilled', value: [{ n: 1 }, { n: 2 }] },
  ]);
  expect([refused, foreign].map((outcome) => (outcome as PromiseRejectedResult).reason)).toEqual([
    expect.objectContaining({ code: '42703' }),
    expect.objectContaining({ code: '42501' }),
  ]);
});

test('those of one role are answered in their order beside one that is refused, too', async () => {
  const { questions } = connections;
  const soon = 'select clock_timestamp() as at';
  const [slow, refused, ...others] = await Promise.allSettled([
    questions.ask('fleet_jobs', 'select clock_timestamp() as at from pg_sleep(0.3)'),
    questions.ask('billing_jobs', 'select nothing_of_this_name'),
    questions.ask('fleet_jobs', soon),
    questions.ask('fleet_jobs', soon),
  ]);
  expect(refused.status).toBe('rejected');
  const times = [slow, ...others].map(
    (outcome) => (outcome as PromiseFulfilledResult<{ at: Date }[]>).value[0]!.at,
  );
  expect(times).toEqual(times.toSorted((a, b) => Number(a) - Number(b)));
});

test('a question that has to wait for a lock holds up none of another role', async () => {
  const { questions } = connections;
  const holder = new pg.Client({ connectionString: database.ownerUrl });
  await holder.connect();
  await holder.query('begin; lock table fleet.instance in access exclusive mode');
  const isAnswered: string[] = [];
  const waiting = questions
    .ask('fleet_jobs', 'select count(*)::int as n from fleet.instance')
    .finally(() => isAnswered.push('waiting'));
  expect(await questions.ask('billing_jobs', 'select 2 as n')).toEqual([{ n: 2 }]);
  expect(isAnswered).toEqual([]);
  await holder.query('commit');
  expect(await waiting).toEqual([{ n: 0 }]);
  await holder.end();
});

test('the connection that carried questions is nobody again', async () => {
  await connections.questions.ask('fleet_jobs', whoSql);
  const { rows } = await connections.use(async (client) =>
    client.query<{ role: string; who: string }>(
      `select current_setting('role') as role, current_user as who`,
    ),
  );
  expect(rows).toEqual([{ role: 'none', who: 'panel_app' }]);
});

const inBackground = async <Row extends pg.QueryResultRow>(sql: string) =>
  withPatience(patience.background, async () =>
    connections.use(async (client) => (await client.query<Row>(sql)).rows),
  );

test('a question is parsed once for a connection, whatever the moment that it asks about', async () => {
  const { questions } = connections;
  const soon = `select ? - interval '1 hour' as at, ? as word`;
  const at = new Date('2026-03-01T12:00:00Z');
  for (const minutes of [0, 1, 2]) {
    const [row] = await questions.ask('fleet_jobs', soon, [new Date(at.getTime() + minutes * 60_000), 'it?']);
    expect(row).toEqual({ at: new Date(at.getTime() + (minutes - 60) * 60_000), word: 'it?' });
  }
  expect(
    await inBackground(
      `select generic_plans + custom_plans as runs from pg_prepared_statements where statement like '%1 hour%as word'`,
    ),
  ).toEqual([{ runs: '3' }]);
});

test('a question about a table that was altered meanwhile is answered', async () => {
  const { questions } = connections;
  const owner = new pg.Client({ connectionString: database.ownerUrl });
  await owner.connect();
  await owner.query('create table fleet.altered (a int); grant select on fleet.altered to fleet_jobs');
  await owner.query('insert into fleet.altered values (1)');
  const all = async () => questions.ask('fleet_jobs', 'select * from fleet.altered');
  expect(await all()).toEqual([{ a: 1 }]);
  await owner.query('alter table fleet.altered add column b int');
  expect(await Promise.all([all(), questions.ask('billing_jobs', 'select 2 as n')])).toEqual([
    [{ a: 1, b: null }],
    [{ n: 2 }],
  ]);
  expect(await all()).toEqual([{ a: 1, b: null }]);
  await owner.end();
});
