import { randomUUID } from 'node:crypto';

import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';

import { areas, schemaNames, schemas } from '#panel/areas.js';
import { migrate } from '#panel/database.js';
import { migrateArea } from '#platform/database/migrate.js';
import { ensureRoles } from '#platform/database/roles.js';
import { migrateJobs } from '#platform/jobs/schema.js';
import { silentLogger } from '#platform/logger.js';

import { startTestPanel, type TestDatabase } from '../support/panel.js';
import { templateDatabase } from '../support/postgres.js';

/** Areas without which a panel ran somewhere; the others came later. */
const first = ['platform', 'identity', 'fleet'];

const name = `t_${randomUUID().replaceAll('-', '')}`;
let server: pg.Client;

const { ownerUrl, password } = inject('postgres');
const urlOf = (database: string) => Object.assign(new URL(ownerUrl), { pathname: `/${database}` });

beforeAll(async () => {
  server = new pg.Client({ connectionString: ownerUrl });
  await server.connect();
  await server.query(`create database ${name}`);
});
afterAll(async () => {
  await server.query(`drop database if exists ${name} with (force)`);
  await server.end();
});

/** All rights of the areas' roles and all policies, in words. */
async function rightsIn(database: string): Promise<string[]> {
  const client = new pg.Client({ connectionString: urlOf(database).href });
  await client.connect();
  const { rows } = await client.query<{ right: string }>(
    `select format('%s %I.%I to %s', privilege_type, table_schema, table_name, grantee) as right
     from information_schema.role_table_grants where grantee ~ '_(app|jobs)$'
     union all select format('%s %I.%s to %s', privilege_type, routine_schema, specific_name ~ 'x', grantee)
       || ' ' || routine_name
     from information_schema.role_routine_grants where grantee ~ '_(app|jobs)$'
     union all select format('usage of schema %I to %s', n.nspname, g.rolname)
     from pg_namespace n, aclexplode(n.nspacl) a join pg_roles g on g.oid = a.grantee where g.rolname ~ '_(app|jobs)$'
     union all select format('policy %I on %I.%I to %s: %s', policyname, schemaname, tablename, roles, qual)
     -- Partitions come with the days.
     from pg_policies where tablename !~ '_\\d{8}$' order by 1`,
  );
  await client.end();
  return rows.map(({ right }) => right);
}

describe('a database in which a panel ran before an area came', () => {
  let given: TestDatabase;
  beforeAll(async () => {
    const url = urlOf(name);
    const owner = new pg.Client({ connectionString: url.href });
    await owner.connect();
    await ensureRoles(owner, { areas: first, login: { name: 'panel_app' } });
    for (const { name: area, migrations } of schemas.filter((schema) => first.includes(schema.name)))
      await migrateArea({ area, ownerUrl: url.href, migrations, logger: silentLogger });
    await migrateJobs(url.href, first, silentLogger);
    await owner.end();
    given = {
      name,
      ownerUrl: url.href,
      url: Object.assign(new URL(url), { username: 'panel_app', password }).href,
      drop: async () => undefined,
    };
  });

  test('gets the rights of the new area, and of its part, as a new database does', async () => {
    expect(schemaNames.length).toBeGreaterThan(first.length);
    const before = await rightsIn(name);
    const applied = await migrate(given.ownerUrl, password, silentLogger);
    expect(applied.filter(({ steps }) => steps.length > 0).map(({ area }) => area)).toEqual(
      schemaNames.filter((area) => !first.includes(area)),
    );
    const after = await rightsIn(name);
    expect(after).toEqual(await rightsIn(templateDatabase));
    expect(before.length).toBeLessThan(after.length);
  });

  test('is served with the new area, which hears events and holds its lease', async () => {
    await using panel = await startTestPanel({}, 'in process', given);
    const tenant = await panel.world.tenant();
    expect((await tenant.graphql('{ packages { id } }')).errors).toBeUndefined();
    const positions = async () =>
      panel.sql<{ consumer: string; source: string }>(
        'select consumer, source from platform.consumer_position order by 1, 2',
      );
    const ofIdentity = areas.map((consumer) => ({ consumer: consumer.name, source: 'identity' }));
    await expect.poll(positions).toEqual(expect.arrayContaining(ofIdentity));
    expect(
      (await panel.sql<{ name: string }>('select name from platform.lease order by 1')).map(
        (row) => row.name,
      ),
    ).toEqual(areas.map((area) => area.name).toSorted());
  });
});

describe('what areas say of themselves', () => {
  test('permissions, input rules and paths are of one area each', () => {
    for (const { name: area, permissions } of areas)
      expect(Object.keys(permissions).filter((permission) => !permission.startsWith(`${area}.`))).toEqual([]);
    const said = areas.flatMap(({ inputRules = {}, forwardedPaths = [] }) => [
      ...Object.keys(inputRules),
      ...forwardedPaths,
    ]);
    expect(said.filter((each, at) => said.indexOf(each) !== at)).toEqual([]);
  });

  test('a name is good for a schema, a role and a setting', () => {
    expect(areas.filter((area) => !/^[a-z]{2,20}$/.test(area.name)).map((area) => area.name)).toEqual([]);
  });
});
