import pg from 'pg';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { schemas } from '#panel/areas.js';
import { migrateArea, migration, type AreaMigration } from '#platform/database/migrate.js';

import { createTestDatabase, type TestDatabase } from '../support/panel.js';
import { until } from '../support/world.js';

const { migrations } = schemas.find(({ name }) => name === 'governance')!;
let database: TestDatabase;
let owner: pg.Client;
let writer: pg.Client;
beforeAll(async () => {
  database = await createTestDatabase();
  [owner, writer] = [
    new pg.Client({ connectionString: database.ownerUrl }),
    new pg.Client({ connectionString: database.ownerUrl }),
  ];
  await owner.connect();
  await writer.connect();
});
afterAll(async () => {
  await writer.end();
  await owner.end();
  await database.drop();
});

/** As a process of the version before does it: the row of a repository first, and its event at last. */
async function migrateUnderAWriter(steps: readonly AreaMigration[]) {
  const warnings: string[] = [];
  const told = { write: (line: string) => warnings.push((JSON.parse(line) as { msg: string }).msg) };
  const logger = pino({ level: 'warn' }, told);
  await writer.query('begin; lock table governance.gitops_config in row exclusive mode');
  const migrated = migrateArea({
    area: 'governance',
    ownerUrl: database.ownerUrl,
    migrations: steps,
    logger,
  });
  await until(async () => {
    const { rows } = await owner.query(
      `select 1 from pg_locks where relation = 'governance.gitops_config'::regclass and not granted`,
    );
    return rows.length > 0;
  }, 'the migration to wait');
  await writer.query(
    `insert into governance.outbox (xid, event_id, tenant_id, topic, entity_id, payload, caused_by, occurred_at)
     values (pg_current_xact_id(), gen_random_uuid()::text, 'org_a', 'x', 'x', '{}', 'test', now())`,
  );
  await writer.query('commit');
  return { steps: await migrated, warnings };
}

test('the steps of governance wait for those who write of repositories, without one of the two being ended', async () => {
  await owner.query(`alter table governance.outbox drop column traceparent`);
  await owner.query(`alter table governance.gitops_config drop column is_host_silent`);
  await owner.query(`delete from governance.migration where name in ('030_traces', '031_silent_hosts')`);
  expect(await migrateUnderAWriter(migrations)).toEqual({
    steps: ['030_traces', '031_silent_hosts'],
    warnings: [],
  });
});

test('a migration that PostgreSQL ended, as it and a writer waited for each other, begins anew by itself', async () => {
  const steps = [
    migration('900_outbox', 'alter table governance.outbox add column tried text'),
    migration('901_config', 'alter table governance.gitops_config add column tried text'),
  ];
  const done = await migrateUnderAWriter([...migrations, ...steps]);
  expect(done.steps).toEqual(['900_outbox', '901_config']);
  expect(done.warnings).toEqual([expect.stringMatching(/waited for each other/)]);
});
