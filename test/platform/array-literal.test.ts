import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { arrayLiteral } from '#platform/database/array-literal.js';

import { createTestDatabase, type TestDatabase } from '../support/panel.js';

let database: TestDatabase;
let client: pg.Client;
beforeAll(async () => {
  database = await createTestDatabase();
  client = new pg.Client({ connectionString: database.url });
  await client.connect();
});
afterAll(async () => {
  await client.end();
  await database.drop();
});

async function read(type: string, values: Parameters<typeof arrayLiteral>[0]): Promise<unknown[]> {
  const { rows } = await client.query(`select value from unnest($1::${type}[]) value`, [
    arrayLiteral(values),
  ]);
  return rows.map((row: { value: unknown }) => row.value);
}

test('texts of all kinds are read as they are', async () => {
  const texts = ['', ' ', 'NULL', 'null', 'a,b', '{a}', '"', '\\', '\\"', 'a\nb\tc', "it's", 'ü 😀', null];
  expect(await read('text', texts)).toEqual(texts);
  expect(await read('text', [])).toEqual([]);
});

test('numbers, times and objects are read as they are', async () => {
  const numbers = [0, -1.5, 1e-7, 1e300, Number.MAX_SAFE_INTEGER, null, undefined];
  expect(await read('double precision', numbers)).toEqual(numbers.map((value) => value ?? null));
  const objects = [[], {}, { text: 'a "b" \\ c', list: [1, null] }, null];
  expect(await read('jsonb', objects)).toEqual(objects);
  const times = [new Date(), new Date(0), new Date('2026-11-30T03:04:05.678Z')];
  expect(await read('double precision', times)).toEqual(times.map((time) => time.getTime()));
});
