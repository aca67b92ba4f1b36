import { randomUUID } from 'node:crypto';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { Connections } from '#platform/database/connections.js';
import { areaRoles } from '#platform/database/roles.js';
import { bossDatabase } from '#platform/jobs/boss-database.js';

import { createTestDatabase, type TestDatabase } from '../support/panel.js';

const role = areaRoles('platform').jobs;

let database: TestDatabase;
let connections: Connections;
let run: (text: string, values?: unknown[]) => Promise<Record<string, unknown>[]>;
beforeAll(async () => {
  database = await createTestDatabase();
  // One connection, so that a call would find what the one before it left behind.
  connections = new Connections(database.url, { requests: 1, background: 1 });
  const boss = bossDatabase(connections, role);
  run = async (text, values) => (await boss.executeSql(text, values)).rows as Record<string, unknown>[];
});
afterAll(async () => {
  await connections.close();
  await database.drop();
});

const jobs = async (name: string) =>
  run('select data from jobs.job where name = $1 order by data', [name]).then((rows) =>
    rows.map(({ data }) => data),
  );

/** A queue of its own, since pg-boss's table takes jobs of known queues only. */
async function queue(): Promise<string> {
  const name = `platform.test-${randomUUID()}`;
  await run('select jobs.create_queue($1, $2::jsonb)', [name, { policy: 'standard' }]);
  return name;
}

const insert = 'insert into jobs.job (name, data) values ($1, $2)';

test('values arrive as they are, whatever characters they have', async () => {
  const texts = [
    '',
    `it's`,
    'a\\b',
    `\\'; drop table jobs.job; --`,
    '$1',
    '$2 $10',
    '$$',
    `$a$'$a$`,
    `E'\\''`,
    'ü😀\n',
  ];
  const sql = `select ${texts.map((_, at) => `$${at + 1}::text as t${at}`).join(', ')}`;
  expect(Object.values((await run(sql, texts))[0]!)).toEqual(texts);
});

test('what looks like a parameter inside of a literal, an identifier or dollar quotes stays what it is', async () => {
  const [row] = await run(
    `select '$1' as one, $q$ $2 '$1' $q$ as two, $1::int + $2::int as "$1", '$$' as three`,
    [3, 4],
  );
  expect(row).toEqual({ one: '$1', two: ` $2 '$1' `, $1: 7, three: '$$' });
});

test('each of more than nine parameters is its own', async () => {
  const values = Array.from({ length: 12 }, (_, at) => at + 1);
  const sql = `select ${values.map((value) => `$${value}::int as c${value}`).join(', ')}`;
  expect(Object.values((await run(sql, values))[0]!)).toEqual(values);
});

test('numbers, times, bytes, lists, JSON and nothing arrive as what they are', async () => {
  const at = new Date('2026-01-02T03:04:05.678Z');
  const [row] = await run(
    `select $1::float8 as nan, $2::float8 as inf, $3::float8 as tenth, $4::timestamptz as at, $5::bytea as bytes,
       $6::text[] as list, $7::jsonb as json, $8::text as nothing, $9::bool as yes, $10::text as missing,
       $11::int[] as numbers`,
    [
      Number.NaN,
      -Infinity,
      0.1,
      at,
      Buffer.from([0, 255, 39, 92]),
      ['a,b', '"', '\\', 'NULL', '', '{}', null],
      { text: `'"\\$1`, deep: [null, { at }] },
      null,
      true,
      undefined,
      [1, -2],
    ],
  );
  expect(row).toEqual({
    nan: Number.NaN,
    inf: -Infinity,
    tenth: 0.1,
    at,
    bytes: Buffer.from([0, 255, 39, 92]),
    list: ['a,b', '"', '\\', 'NULL', '', '{}', null],
    json: { text: `'"\\$1`, deep: [null, { at: at.toISOString() }] },
    nothing: null,
    yes: true,
    missing: null,
    numbers: [1, -2],
  });
});

test('a value that no statement can have is refused, and the connection serves the next', async () => {
  await expect(run('select $1::text', ['a\0b'])).rejects.toThrow('invalid byte sequence');
  const circle: Record<string, unknown> = {};
  circle['self'] = circle;
  await expect(run('select $1::text, $2::jsonb', ['one', circle])).rejects.toThrow('circular');
  expect(await run('select $1::text as text', ['next'])).toEqual([{ text: 'next' }]);
});

test('neither the role nor a transaction outlives a call, nor a call that fails', async () => {
  const session = `select current_user as role, now() = statement_timestamp() as "isFirst"`;
  expect(await run(`${session}, $1::int as n`, [1])).toMatchObject([{ role }]);
  const zero = 'division by zero';
  for (const [text, values, why] of [
    ['select 1 / $1::int', [0], zero],
    ['select 1 / 0', [], zero],
    ['begin; select 1; select 1 / 0; select 2; commit;', [], zero],
    ['select nonsense from $1', [1], 'syntax error'],
  ] as const)
    await expect(run(text, [...values])).rejects.toThrow(why);
  const after = await connections.use(async (client) => client.query(session));
  expect(after.rows).toEqual([{ role: 'panel_app', isFirst: true }]);
});

test('several statements that fail half-way leave nothing, whether they begin a transaction or not', async () => {
  const name = await queue();
  const both = `insert into jobs.job (name, data) values ('${name}', '{"a": 1}'); select 1 / 0;
    insert into jobs.job (name, data) values ('${name}', '{"a": 2}')`;
  await expect(run(both)).rejects.toThrow('division by zero');
  await expect(run(`begin; ${both}; commit;`)).rejects.toThrow('division by zero');
  await expect(
    run(`with made as (${insert} returning 1) select 1 / $3::int from made`, [name, {}, 0]),
  ).rejects.toThrow('division by zero');
  expect(await jobs(name)).toEqual([]);
});

test('the rows of several statements come without those of the settings', async () => {
  const answers = (await bossDatabase(connections, role).executeSql(
    'begin; select 1 as n; select 2 as n; commit;',
  )) as unknown as { rows: unknown[] }[];
  expect(answers.flatMap(({ rows }) => rows)).toEqual([{ n: 1 }, { n: 2 }]);
  expect(await run('select 3 as n')).toEqual([{ n: 3 }]);
});

test('what is done is done when the answer comes, also for others', async () => {
  const name = await queue();
  await run(insert, [name, { a: `'$1` }]);
  const other = new Connections(database.url, { requests: 1, background: 1 });
  try {
    const sql = bossDatabase(other, role);
    expect((await sql.executeSql('select data from jobs.job where name = $1', [name])).rows).toEqual([
      { data: { a: `'$1` } },
    ]);
  } finally {
    await other.close();
  }
});
