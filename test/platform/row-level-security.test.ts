import type pg from 'pg';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';

import { ensureRoles } from '#platform/database/roles.js';
import { tenantTableSql } from '#platform/database/row-level-security.js';

import { Cluster, login, run } from './support/cluster.js';

let cluster: Cluster;
beforeAll(async () => {
  cluster = await Cluster.start();
});
afterAll(async () => cluster.stop());
afterEach(async () => cluster.disconnect());

const noteTable =
  'create table fleet.note (tenant_id text not null, id serial primary key, word text not null)';

async function notes(): Promise<{ owner: pg.Client; app: pg.Client }> {
  const database = await cluster.newDatabase();
  const owner = await cluster.connect(database);
  await ensureRoles(owner, { areas: ['fleet'], login });
  await run(owner, [
    noteTable,
    ...tenantTableSql('fleet', 'note'),
    `insert into fleet.note (tenant_id, word) values ('org_a', 'one'), ('org_b', 'two')`,
  ]);
  return { owner, app: await cluster.connect(database, 'panel_app') };
}

async function as(
  client: pg.Client,
  role: string,
  tenant: string | undefined,
  sql: string,
): Promise<unknown[]> {
  await client.query('begin');
  try {
    await client.query(`select set_config('role', $1, true)`, [role]);
    if (tenant !== undefined) await client.query(`select set_config('app.tenant_id', $1, true)`, [tenant]);
    const { rows } = await client.query<Record<string, unknown>>(sql);
    await client.query('commit');
    return rows;
  } catch (error) {
    await client.query('rollback');
    throw error;
  }
}

const read = 'select tenant_id, word from fleet.note order by id';

test('the login sees nothing by itself', async () => {
  const { app } = await notes();
  await expect(app.query(read)).rejects.toThrow('permission denied');
  await app.query(`set app.tenant_id = 'org_a'`);
  await expect(app.query(read)).rejects.toThrow('permission denied');
});

test('the application role sees no rows without a tenant, before and after one was set', async () => {
  const { app } = await notes();
  expect(await as(app, 'fleet_app', undefined, read)).toEqual([]);
  await as(app, 'fleet_app', 'org_a', read);
  expect(await as(app, 'fleet_app', undefined, read)).toEqual([]);
  expect(await as(app, 'fleet_app', '', read)).toEqual([]);
});

test('the application role sees and changes the rows of its tenant only', async () => {
  const { app } = await notes();
  expect(await as(app, 'fleet_app', 'org_a', read)).toEqual([{ tenant_id: 'org_a', word: 'one' }]);
  const insert = `insert into fleet.note (tenant_id, word) values ('org_a', 'more') returning word`;
  expect(await as(app, 'fleet_app', 'org_a', insert)).toEqual([{ word: 'more' }]);
  await expect(as(app, 'fleet_app', 'org_b', insert)).rejects.toThrow('row-level security');
  await expect(as(app, 'fleet_app', undefined, insert)).rejects.toThrow('row-level security');
  await expect(as(app, 'fleet_app', 'org_a', `update fleet.note set tenant_id = 'org_b'`)).rejects.toThrow(
    'row-level security',
  );
  expect(await as(app, 'fleet_app', 'org_b', `update fleet.note set word = 'mine' returning word`)).toEqual([
    { word: 'mine' },
  ]);
  expect(await as(app, 'fleet_app', 'org_a', 'delete from fleet.note returning word')).toHaveLength(2);
  expect(await as(app, 'fleet_jobs', undefined, read)).toEqual([{ tenant_id: 'org_b', word: 'mine' }]);
});

test('the jobs role sees the rows of all tenants', async () => {
  const { app } = await notes();
  expect(await as(app, 'fleet_jobs', undefined, read)).toEqual([
    { tenant_id: 'org_a', word: 'one' },
    { tenant_id: 'org_b', word: 'two' },
  ]);
});

test('a table may grant less than everything', async () => {
  const { owner, app } = await notes();
  await run(owner, [
    'create table fleet.fact (tenant_id text not null, id integer primary key)',
    ...tenantTableSql('fleet', 'fact', { app: ['select', 'insert'], jobs: [] }),
  ]);
  await as(app, 'fleet_app', 'org_a', `insert into fleet.fact values ('org_a', 1)`);
  await expect(as(app, 'fleet_app', 'org_a', 'delete from fleet.fact')).rejects.toThrow('permission denied');
  await expect(as(app, 'fleet_jobs', undefined, 'select from fleet.fact')).rejects.toThrow(
    'permission denied',
  );
});

test('the owner of a hosted database, no superuser, still reads all rows in its migrations', async () => {
  const database = await cluster.newDatabase();
  const owner = await cluster.connect(database);
  await ensureRoles(owner, { areas: ['fleet'], login });
  await run(owner, [
    `create role hosted_owner login password 'secret'`,
    `grant create, usage on schema fleet to hosted_owner`,
  ]);
  const hosted = await cluster.connect(database, 'hosted_owner');
  await run(hosted, [noteTable, ...tenantTableSql('fleet', 'note')]);
  await hosted.query(`insert into fleet.note (tenant_id, word) values ('org_a', 'one')`);
  expect((await hosted.query(read)).rows).toEqual([{ tenant_id: 'org_a', word: 'one' }]);
});
