import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';

import { Connections, type TakenClient } from '#platform/database/connections.js';
import { TransactionClient } from '#platform/database/transaction-client.js';

import { createTestDatabase, type TestDatabase } from '../support/panel.js';

let database: TestDatabase;
let connections: Connections;
let taken: TakenClient;
let client: TransactionClient;
/** What went to the server, a message each. */
let sent: string[];

beforeAll(async () => {
  database = await createTestDatabase();
  connections = new Connections(database.ownerUrl);
  taken = await connections.take();
  await taken.query('create temporary table note (words text)');
  const query = taken.query.bind(taken) as (...given: unknown[]) => unknown;
  taken.query = ((...given: unknown[]) => {
    sent.push(String(given[0]));
    return query(...given);
  }) as typeof taken.query;
});
afterAll(async () => {
  taken.release();
  await connections.close();
  await database.drop();
});
beforeEach(async () => {
  sent = [];
  await taken.query('rollback; truncate note');
  sent = [];
  client = new TransactionClient(taken);
});

const open = async (tenant: string) => {
  await client.query('begin', []);
  await client.query(`select set_config('app.tenant_id', '${tenant}', true)`, []);
};
const tenantNow = async () => {
  const { rows } = await client.query<{ tenant: string }>(
    `select current_setting('app.tenant_id', true) as tenant`,
    [],
  );
  return rows[0]?.tenant;
};
const notes = async () => (await taken.query<{ words: string }>('select words from note')).rows;

test('a read in a transaction is two messages, and knows its settings while that lasts', async () => {
  await open('org_a');
  expect(await tenantNow()).toBe('org_a');
  await client.query('commit', []);
  expect(sent).toHaveLength(2);
  expect(await tenantNow()).toBe('');
});

test('a transaction in which nothing was asked asks the server nothing, and leaves none open', async () => {
  for (const end of ['commit', 'rollback']) {
    await open('org_a');
    await client.query(end, []);
  }
  expect(sent).toEqual([]);
  expect(await tenantNow()).toBe('');
});

test('a statement behind settings that fail does not run', async () => {
  await client.query('begin', []);
  await client.query(`select set_config('role', 'nobody_of_that_name', true)`, []);
  await expect(client.query(`insert into note values ('a')`, [])).rejects.toThrow('nobody_of_that_name');
  await client.query('rollback', []);
  expect(await notes()).toEqual([]);
});

test('a statement with parameters stands in the same transaction', async () => {
  await open('org_a');
  await client.query('insert into note values ($1)', ['a']);
  expect(await tenantNow()).toBe('org_a');
  await client.query('rollback', []);
  expect(await notes()).toEqual([]);
  await open('org_b');
  const { rows } = await client.query('insert into note values ($1) returning words', ['b']);
  await client.query('commit', []);
  expect([rows, await notes()]).toEqual([[{ words: 'b' }], [{ words: 'b' }]]);
});
