import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { schemaNames } from '#panel/areas.js';
import { jobsSchema, migrateJobs } from '#platform/jobs/schema.js';
import { silentLogger } from '#platform/logger.js';

import { createTestDatabase, type TestDatabase } from '../support/panel.js';

let database: TestDatabase;
let superuser: pg.Client;
const owner = `jobs_owner_${process.pid}`;

beforeAll(async () => {
  database = await createTestDatabase();
  superuser = new pg.Client({ connectionString: database.ownerUrl });
  await superuser.connect();
  await superuser.query(`create role ${owner} login password 'secret'`);
  await superuser.query(`drop schema ${jobsSchema} cascade`);
});

afterAll(async () => {
  await superuser.query(`drop schema if exists ${jobsSchema} cascade`);
  await superuser.query(`drop owned by ${owner}`);
  await superuser.query(`drop role ${owner}`);
  await superuser.end();
  await database.drop();
});

function asOwner(): string {
  const url = new URL(database.ownerUrl);
  [url.username, url.password] = [owner, 'secret'];
  return url.href;
}

const tables = `select c.oid::regclass::text as name from pg_class c
  where c.relnamespace = '${jobsSchema}'::regnamespace and c.relkind in ('r', 'p')`;

test('an owner that may not make a schema is told what to run, and then needs no superuser', async () => {
  await expect(migrateJobs(asOwner(), schemaNames, silentLogger)).rejects.toThrow(
    `create schema jobs authorization "${owner}"`,
  );
  await superuser.query(`create schema ${jobsSchema} authorization "${owner}"`);
  // Processes that start together, and one that starts later.
  await Promise.all([1, 2, 3].map(async () => migrateJobs(asOwner(), schemaNames, silentLogger)));
  await migrateJobs(asOwner(), schemaNames, silentLogger);
  const { rows } = await superuser.query(`select count(*)::int as count from (${tables}) t`);
  expect(rows).toEqual([{ count: expect.any(Number) }]);
  expect((rows as { count: number }[])[0]?.count).toBeGreaterThan(5);
});

test("every area's jobs role may work on every table, and its app role on none", async () => {
  const { rows } = await superuser.query<{ role: string; may: boolean[] }>(
    `select role, array_agg(distinct has_schema_privilege(role, '${jobsSchema}', 'usage')
         and has_table_privilege(role, name, 'select') and has_table_privilege(role, name, 'insert')
         and has_table_privilege(role, name, 'update') and has_table_privilege(role, name, 'delete')) as may
     from (${tables}) t, unnest($1::text[]) role group by role order by role`,
    [schemaNames.flatMap((area) => [`${area}_app`, `${area}_jobs`])],
  );
  expect(rows).toEqual(
    schemaNames
      .flatMap((area) => [
        { role: `${area}_app`, may: [false] },
        { role: `${area}_jobs`, may: [true] },
      ])
      .toSorted((a, b) => a.role.localeCompare(b.role)),
  );
});

test('a table that a later version makes is open to them too', async () => {
  const client = new pg.Client({ connectionString: asOwner() });
  await client.connect();
  await client.query(`create table ${jobsSchema}.later (id int)`);
  await client.end();
  const { rows } = await superuser.query(
    `select has_table_privilege('fleet_jobs', '${jobsSchema}.later', 'insert') as jobs,
       has_table_privilege('fleet_app', '${jobsSchema}.later', 'select') as app`,
  );
  expect(rows).toEqual([{ jobs: true, app: false }]);
});
