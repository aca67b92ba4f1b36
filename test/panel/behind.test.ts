import { randomUUID } from 'node:crypto';

import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { migrate, prepareDatabase } from '#panel/database.js';
import { panelEnv } from '#panel/env.js';
import { OperatorError } from '#platform/errors.js';
import { silentLogger } from '#platform/logger.js';
import { Keyring } from '#platform/secrets/keyring.js';

import { createTestDatabase, testSecretsKey, type TestDatabase } from '../support/panel.js';
import { freePort, PanelProcess, runProgram } from '../support/process.js';
import { SwitchedAddress } from '../support/switched-address.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(async () => database.drop());

const settings = (url = database.url) => ({
  DATABASE_URL: url,
  SECRETS_KEY: testSecretsKey,
  LOG_LEVEL: 'warn',
});
const waiting = async (url?: string) => new PanelProcess(await freePort(), settings(url));

/** Answers the rows of the last of them. */
async function asOwner<Row extends pg.QueryResultRow>(...statements: string[]): Promise<Row[]> {
  const owner = new pg.Client({ connectionString: database.ownerUrl });
  await owner.connect();
  let rows: Row[] = [];
  for (const statement of statements) ({ rows } = await owner.query<Row>(statement));
  await owner.end();
  return rows;
}

/** As a version left it that did not know the newest step of governance. */
const makeOlder = async () =>
  asOwner(
    'alter table governance.gitops_config drop column is_host_silent',
    `delete from governance.migration where name = '031_silent_hosts'`,
  );

/** The version of the queues' tables. */
const queues = async () =>
  (await asOwner<{ version: number }>('select version from jobs.version'))[0]!.version;

const helps =
  'run "npm run migrate" of this version (node dist/panel/migrate.js) with DATABASE_OWNER_URL, or start a process that has it';
const lacks = (what: string) =>
  `the database is older than this version, and lacks the migrations ${what}: ${helps}`;

/** What an address answers; undefined while nobody listens there. */
async function asked(url: string): Promise<{ status: number; body: unknown } | undefined> {
  const answer = await fetch(url).catch(() => undefined);
  return answer && { status: answer.status, body: await answer.json() };
}

/** What a command comes to that may not migrate. */
const prepared = async (url?: string) =>
  (await prepareDatabase(panelEnv(settings(url)), Keyring.parse(testSecretsKey), silentLogger)).stop();

test('a process that may not migrate says of an older database what it lacks and what to run, answers its port from then on without a gap, and serves once that was done', async () => {
  const missing = `governance 031_silent_hosts; jobs pg-boss ${await queues()}`;
  await makeOlder();
  await asOwner('drop schema jobs cascade');
  const panel = await waiting();
  const problem = lacks(missing);
  await expect
    .poll(async () => asked(`${panel.url}/readyz`), { timeout: 60_000 })
    .toEqual({ status: 503, body: { status: 'not ready', problems: [problem] } });
  expect(panel.output).toContain(JSON.stringify(problem).slice(1, -1));
  expect(await asked(`${panel.url}/healthz`)).toEqual({ status: 200, body: { status: 'ok' } });
  expect(await asked(`${panel.url}/api/fleet/summary`)).toMatchObject({ status: 503 });
  expect(await asked(`${panel.url}/graphql`)).toMatchObject({
    status: 503,
    body: { errors: [{ extensions: { code: 'UNAVAILABLE' } }] },
  });

  let isOver = false;
  const answers: unknown[] = [];
  const ask = async () => {
    while (!isOver) answers.push(await asked(`${panel.url}/healthz`));
  };
  const asking = Promise.all([ask(), ask()]);
  await migrate(database.ownerUrl, undefined, silentLogger);
  await expect
    .poll(async () => asked(`${panel.url}/readyz`), { timeout: 60_000 })
    .toEqual({ status: 503, body: { status: 'not ready', problems: ['the process is starting'] } });
  await panel.ready();
  await expect
    .poll(async () => asked(`${panel.url}/readyz`), { timeout: 30_000 })
    .toEqual({ status: 200, body: { status: 'ready' } });
  isOver = true;
  await asking;
  expect(answers.length).toBeGreaterThan(20);
  expect(answers.filter((answer) => (answer as { status?: number } | undefined)?.status !== 200)).toEqual([]);
  expect(await panel.kill('SIGTERM')).toBe(0);
}, 180_000);

test('of the job queues are lacked their tables as this version has them, and the right to them', async () => {
  const problem = lacks(`jobs pg-boss ${await queues()}`);
  await asOwner('revoke usage on schema jobs from platform_jobs');
  await expect(prepared()).rejects.toThrow(problem);
  await migrate(database.ownerUrl, undefined, silentLogger);
  // As a version left it that has an older pg-boss.
  await asOwner('update jobs.version set version = version - 1');
  await expect(prepared()).rejects.toThrow(problem);
  await asOwner('update jobs.version set version = version + 1');
  await prepared();
});

test('who sees that the last area has all its steps finds the job queues as well', async () => {
  await asOwner('drop schema jobs cascade', 'create schema jobs authorization current_user');
  await makeOlder();
  await asOwner(
    `create function public.look() returns trigger language plpgsql as $$ begin
       if not coalesce(has_table_privilege('platform_jobs', to_regclass('jobs.version'), 'select'), false) then
         raise exception 'an area has its steps, and there are no queues'; end if;
       return new;
     end $$`,
    'create trigger look before insert on governance.migration for each row execute function public.look()',
  );
  const applied = await migrate(database.ownerUrl, undefined, silentLogger);
  expect(applied).toContainEqual({ area: 'governance', steps: ['031_silent_hosts'] });
  await asOwner('drop trigger look on governance.migration', 'drop function public.look()');
}, 120_000);

test('a process that waits goes on waiting when its database is lost while it looks, and when it freezes', async () => {
  await makeOlder();
  await using address = await SwitchedAddress.open(Number(new URL(database.ownerUrl).port));
  const panel = await waiting(address.through(database.url));
  await panel.said('lacks the migrations');
  // Of the second look: the first has been answered.
  await address.cutAfter('applied_steps');
  await address.freezeAfter('applied_steps');
  await migrate(database.ownerUrl, undefined, silentLogger);
  await panel.ready();
  expect(await panel.kill('SIGTERM')).toBe(0);
}, 180_000);

test('a process that is started before its database says which setting leads nowhere, is alive meanwhile, and serves when it comes', async () => {
  await using address = await SwitchedAddress.open(Number(new URL(database.ownerUrl).port));
  address.cut();
  const url = new URL(address.through(database.url));
  const panel = await waiting(url.href);
  const problem = `DATABASE_URL: ${url.host} does not answer: `;
  await panel.said(problem);
  await expect
    .poll(async () => asked(`${panel.url}/readyz`))
    .toEqual({ status: 503, body: { status: 'not ready', problems: [expect.stringContaining(problem)] } });
  expect(await asked(`${panel.url}/healthz`)).toEqual({ status: 200, body: { status: 'ok' } });
  address.switchTo(Number(new URL(database.ownerUrl).port));
  await panel.ready();
  expect(panel.output).not.toContain(url.password);
  expect(await panel.kill('SIGTERM')).toBe(0);
}, 180_000);

test('who is not let in, and who asks for a database that is not there, is told the setting and ends', async () => {
  const wrong = (change: (url: URL) => void) => {
    const url = new URL(database.ownerUrl);
    change(url);
    return prepared(url.href);
  };
  const { host } = new URL(database.ownerUrl);
  await expect(wrong((url) => (url.password = 'another'))).rejects.toThrow(
    new OperatorError(
      `DATABASE_URL: ${host} lets nobody in: password authentication failed for user "${new URL(database.ownerUrl).username}"`,
    ),
  );
  await expect(wrong((url) => (url.pathname = '/none'))).rejects.toThrow(
    new OperatorError(`DATABASE_URL: ${host} lets nobody in: database "none" does not exist`),
  );
  await expect(wrong((url) => (url.port = '1'))).rejects.toThrow(
    new OperatorError('DATABASE_URL: 127.0.0.1:1 does not answer: connect ECONNREFUSED 127.0.0.1:1'),
  );
});

test('a process that waits for the database ends at once when it is told to', async () => {
  await makeOlder();
  const panel = await waiting();
  await panel.said('lacks the migrations');
  expect(await panel.kill('SIGTERM')).toBe(0);
  await migrate(database.ownerUrl, undefined, silentLogger);
}, 120_000);

test('a command on an older database says so and ends', async () => {
  await makeOlder();
  expect(await runProgram('rotate-keys', settings())).toEqual({
    code: 1,
    output: `${lacks('governance 031_silent_hosts')}\n`,
  });
  await migrate(database.ownerUrl, undefined, silentLogger);
  await prepared();
}, 120_000);

test('a database from before it could be asked, and one that was never migrated, lack what lets them be asked', async () => {
  await asOwner(
    'drop function platform.applied_steps(text)',
    `delete from platform.migration where name = '007_applied_steps'`,
  );
  await expect(prepared()).rejects.toThrow(lacks('platform 007_applied_steps'));
  await migrate(database.ownerUrl, undefined, silentLogger);
  const ofAll = lacks(`platform 007_applied_steps; jobs pg-boss ${await queues()}`);
  const empty = `t_${randomUUID().replaceAll('-', '')}`;
  await asOwner(`create database ${empty}`);
  const url = new URL(database.url);
  url.pathname = `/${empty}`;
  await expect(prepared(url.href)).rejects.toThrow(ofAll);
  await asOwner(`drop database ${empty} with (force)`);
}, 120_000);
