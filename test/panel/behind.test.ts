import { randomUUID } from 'node:crypto';

import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { migrate } from '#panel/database.js';
import { silentLogger } from '#platform/logger.js';

import { createTestDatabase, testSecretsKey, type TestDatabase } from '../support/panel.js';
import { freePort, PanelProcess, runProgram } from '../support/process.js';

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
const waiting = async () => new PanelProcess(await freePort(), settings());

async function asOwner(...statements: string[]): Promise<void> {
  const owner = new pg.Client({ connectionString: database.ownerUrl });
  await owner.connect();
  for (const statement of statements) await owner.query(statement);
  await owner.end();
}

/** As a version left it that did not know the newest step of governance. */
const makeOlder = async () =>
  asOwner(
    'alter table governance.gitops_config drop column is_host_silent',
    `delete from governance.migration where name = '031_silent_hosts'`,
  );

const helps =
  'run "npm run migrate" of this version (node dist/panel/migrate.js) with DATABASE_OWNER_URL, or start a process that has it';
const lacks = (what: string) =>
  `the database is older than this version, and lacks the migrations ${what}: ${helps}`;

/** What an address answers; undefined while nobody listens there. */
async function asked(url: string): Promise<{ status: number; body: unknown } | undefined> {
  const answer = await fetch(url).catch(() => undefined);
  return answer && { status: answer.status, body: await answer.json() };
}

test('a process that may not migrate says of an older database what it lacks and what to run, and serves once that was done', async () => {
  await makeOlder();
  const panel = await waiting();
  const problem = lacks('governance 031_silent_hosts');
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
  await migrate(database.ownerUrl, undefined, silentLogger);
  await panel.ready();
  await expect
    .poll(async () => asked(`${panel.url}/readyz`), { timeout: 30_000 })
    .toEqual({ status: 200, body: { status: 'ready' } });
  expect(await panel.kill('SIGTERM')).toBe(0);
}, 180_000);

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
  expect(await runProgram('rotate-keys', settings())).toMatchObject({ code: 0 });
}, 120_000);

test('a database from before it could be asked, and one that was never migrated, lack what lets them be asked', async () => {
  const ofPlatform = { code: 1, output: `${lacks('platform 007_applied_steps')}\n` };
  await asOwner(
    'drop function platform.applied_steps(text)',
    `delete from platform.migration where name = '007_applied_steps'`,
  );
  expect(await runProgram('rotate-keys', settings())).toEqual(ofPlatform);
  await migrate(database.ownerUrl, undefined, silentLogger);
  const empty = `t_${randomUUID().replaceAll('-', '')}`;
  await asOwner(`create database ${empty}`);
  const url = new URL(database.url);
  url.pathname = `/${empty}`;
  expect(await runProgram('rotate-keys', settings(url.href))).toEqual(ofPlatform);
  await asOwner(`drop database ${empty} with (force)`);
}, 120_000);
