import pg from 'pg';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { schemas } from '#panel/areas.js';
import { indexing, migrateArea, migration, type AreaMigration } from '#platform/database/migrate.js';
import { patience } from '#platform/database/patience.js';
import { silentLogger } from '#platform/logger.js';

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

const here = {
  area: 'governance',
  get ownerUrl() {
    return database.ownerUrl;
  },
};

/** Until a step does; answers its server process. */
async function waitsForConfig(): Promise<number> {
  let pid: number | undefined;
  await until(async () => {
    const { rows } = await owner.query<{ pid: number }>(
      `select pid from pg_locks where relation = 'governance.gitops_config'::regclass and not granted
         and mode = 'AccessExclusiveLock'`,
    );
    pid = rows[0]?.pid;
    return pid !== undefined;
  }, 'the migration to wait');
  return pid!;
}

/** As a process of the version before does it: the row of a repository first, and its event at last. */
async function migrateUnderAWriter(steps: readonly AreaMigration[]) {
  const warnings: string[] = [];
  const told = { write: (line: string) => warnings.push((JSON.parse(line) as { msg: string }).msg) };
  const logger = pino({ level: 'warn' }, told);
  await writer.query('begin; lock table governance.gitops_config in row exclusive mode');
  const migrated = migrateArea({ ...here, migrations: steps, logger });
  await waitsForConfig();
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

test('a step that PostgreSQL ended, as it and a writer waited for each other, begins anew by itself', async () => {
  const step = migration(
    '900_both',
    'alter table governance.outbox add column tried text',
    'alter table governance.gitops_config add column tried text',
  );
  const done = await migrateUnderAWriter([...migrations, step]);
  expect(done.steps).toEqual(['900_both']);
  expect(done.warnings).toEqual([expect.stringMatching(/waited for each other/)]);
});

const tail = [
  migration('900_both'),
  migration('901_outbox', 'alter table governance.outbox add column second text'),
  migration('902_config', 'alter table governance.gitops_config add column second text'),
];

test('a run that is cut off between steps has locked nothing of those before any more, and goes on after them', async () => {
  await writer.query('begin; lock table governance.gitops_config in row exclusive mode');
  const cut = migrateArea({ ...here, migrations: [...migrations, ...tail], logger: silentLogger });
  const outcome = cut.then(
    () => 'done',
    (error: Error) => error.message,
  );
  const pid = await waitsForConfig();
  // Whoever tells of an event does not wait for the step that waits.
  await owner.query(`set lock_timeout = 1000; insert into governance.outbox
    (xid, event_id, tenant_id, topic, entity_id, payload, caused_by, occurred_at, second)
    values (pg_current_xact_id(), gen_random_uuid()::text, 'org_a', 'x', 'x', '{}', 'test', now(), 'done')`);
  // As kill -9 of the process that migrates: its connection ends.
  await owner.query('select pg_terminate_backend($1, 5000)', [pid]);
  expect(await outcome).toMatch(/terminat/i);
  await writer.query('commit');
  const { rows } = await owner.query<{ name: string }>(
    `select name from governance.migration where name > '900' order by name`,
  );
  expect(rows.map(({ name }) => name)).toEqual(['900_both', '901_outbox']);
  const again = await migrateArea({ ...here, migrations: [...migrations, ...tail], logger: silentLogger });
  expect(again).toEqual(['902_config']);
});

test('a step that waits for a long writer lets those behind it go on, and is done once it can be', async () => {
  const warnings: string[] = [];
  const told = { write: (line: string) => warnings.push((JSON.parse(line) as { msg: string }).msg) };
  await writer.query('begin; lock table governance.gitops_config in row exclusive mode');
  const step = migration('903_config', 'alter table governance.gitops_config add column third text');
  const migrated = migrateArea({
    ...here,
    migrations: [...migrations, ...tail, step],
    logger: pino({ level: 'warn' }, told),
  });
  await waitsForConfig();
  // Behind the step in the queue; within the time that a request waits for a lock.
  await owner.query(`set lock_timeout = ${patience.request.lock}; select from governance.gitops_config`);
  await expect.poll(() => warnings.length, { timeout: 10_000 }).toBeGreaterThan(0);
  await writer.query('commit');
  expect(await migrated).toEqual(['903_config']);
  expect(new Set(warnings)).toEqual(new Set([expect.stringMatching(/lets those behind it go first/)]));
});

/** Until an index of events is being built, and waits for those who have written there to end; answers by whom. */
async function buildsIndex(): Promise<number> {
  let pid: number | undefined;
  await until(async () => {
    const { rows } = await owner.query<{ pid: number }>(
      `select pid from pg_stat_progress_create_index where relid = 'governance.outbox'::regclass
         and phase = 'waiting for writers before build'`,
    );
    pid = rows[0]?.pid;
    return pid !== undefined;
  }, 'the index to be built');
  return pid!;
}

test('an index of a large table is built while others write there, anew after it was cut off, and its step follows', async () => {
  const insert = `insert into governance.outbox
    (xid, event_id, tenant_id, topic, entity_id, payload, caused_by, occurred_at)
    values (pg_current_xact_id(), gen_random_uuid()::text, 'org_a', 'x', 'x', '{}', 'test', now())`;
  const steps = [
    ...migrations,
    ...tail,
    migration('903_config'),
    indexing(
      '904_index',
      'create index outbox_second on governance.outbox (second)',
      'alter table governance.gitops_config add column fourth text',
    ),
  ];
  const migrated = async () => migrateArea({ ...here, migrations: steps, logger: silentLogger });
  await writer.query(`begin; ${insert}`);
  const cut = migrated().catch((error: Error) => error.message);
  const first = await buildsIndex();
  // Another process that starts meanwhile takes its turn.
  const second = migrated();
  await owner.query('select pg_terminate_backend($1, 5000)', [first]);
  expect(await cut).toMatch(/terminat/i);
  // What was cut off serves nobody, and is taken away first.
  await until(async () => {
    const { rowCount } = await owner.query(
      `select from pg_stat_activity where query like 'drop index concurrently%' and wait_event = 'virtualxid'`,
    );
    return rowCount === 1;
  }, 'the index that was cut off to be dropped');
  await owner.query(`set lock_timeout = 500; ${insert}`);
  await writer.query('commit');
  expect(await second).toEqual(['904_index']);
  const { rows } = await owner.query(
    `select indisvalid, (select count(*)::int from pg_attribute
       where attrelid = 'governance.gitops_config'::regclass and attname = 'fourth') as columns
     from pg_index where indexrelid = 'governance.outbox_second'::regclass`,
  );
  expect(rows).toEqual([{ indisvalid: true, columns: 1 }]);
  expect(await migrated()).toEqual([]);
});
