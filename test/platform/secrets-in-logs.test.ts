import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';

import { Database } from '#platform/database/database.js';
import { loggedError } from '#platform/log-errors.js';
import { silentLogger } from '#platform/logger.js';

import { Live } from '../support/live.js';
import { createTestDatabase, testSecretsKey, type TestDatabase } from '../support/panel.js';
import { freePort, PanelProcess } from '../support/process.js';
import { EmbeddedServers, query } from './support/embedded-servers.js';

const servers = new EmbeddedServers();
let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(async () => database.drop());
afterEach(async () => servers.clear());

const hash = '$argon2id$v=19$m=65536,t=3,p=4$c2VjcmV0';

test('what a failed statement was about is not in the log of the embedded server, of an old cluster either', async () => {
  const dataDir = servers.temporaryFolder();
  const log = () => readFileSync(join(dataDir, 'postgres.log'), 'utf8');
  const fail = async (url: string) => {
    const twice = query(url, `insert into account values ('ada@example.com', '${hash}')`);
    await expect(twice).rejects.toThrow('duplicate key');
    await expect(query(url, `select '${hash}'::int`)).rejects.toThrow('invalid input syntax');
  };
  // As it was written before.
  const talkative = {
    log_min_messages: 'warning',
    log_min_error_statement: 'error',
    log_error_verbosity: 'default',
  };
  const before = await servers.start(dataDir, { settings: talkative });
  const url = before.url('postgres');
  await query(url, 'create table account (email text unique, hash text unique)');
  await query(url, `insert into account values ('ada@example.com', '${hash}')`);
  await fail(url);
  await before.stop();
  const written = log();
  expect([written.includes(hash), written.includes('ada@example.com')]).toEqual([true, true]);

  const after = await servers.start(dataDir);
  await fail(after.url('postgres'));
  await after.stop();
  const more = log().slice(written.length);
  expect(more).toContain('database system is ready');
  expect([more.includes(hash), more.includes('ada@'), more.includes('insert into')]).toEqual([
    false,
    false,
    false,
  ]);
});

test('an error of the database is logged with its name and place, and without the values it tells of', async () => {
  const identity = await Database.open({
    area: 'identity',
    url: database.url,
    entities: [],
    poolSize: 1,
    logger: silentLogger,
  });
  const errorOf = async (sql: string, values: unknown[]) =>
    identity
      .forJobs()
      .execute(sql, values)
      .then(
        () => undefined,
        (error: unknown) => error as Error,
      );
  const tenant = `insert into identity.tenant (id, name, created_at) values (?, ?, now()), (?, ?, now())`;
  const twice = await errorOf(tenant, ['org_secret', 'secret', 'org_secret', 'secret']);
  const json = await errorOf('select ?::jsonb', ['{"secret']);
  await identity.close();
  // pg-boss hands on copies of errors.
  const copied = Object.assign({}, twice, { message: twice?.message, stack: twice?.stack });
  for (const error of [twice, json, copied, new Error('outer', { cause: twice })]) {
    const logged = loggedError(error) as Record<string, unknown>;
    expect(JSON.stringify(logged)).not.toContain('secret"');
    expect(JSON.stringify(logged)).not.toContain('org_secret');
    expect(logged['stack']).toContain('secrets-in-logs.test');
  }
  expect(loggedError(twice)).toMatchObject({
    type: 'UniqueConstraintViolationException',
    constraint: 'tenant_pkey',
    code: '23505',
  });
});

test('a token that is none is a line for debugging, without the token and without a stack', async () => {
  const running = new PanelProcess(await freePort(), {
    DATABASE_URL: database.url,
    SECRETS_KEY: testSecretsKey,
    PUBLIC_URL: 'http://panel.test',
    LOG_LEVEL: 'debug',
  });
  try {
    await running.ready();
    const before = running.output.length;
    for (const token of ['x.y.z', 'eyJhbGciOiJub25lIn0.c2VjcmV0.', 'garbage-of-a-caller']) {
      const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
      const body = JSON.stringify({ query: '{ me { id } }' });
      const answer = await fetch(`${running.url}/graphql`, { method: 'POST', headers, body });
      expect(await answer.text()).toContain('UNAUTHENTICATED');
      await fetch(`${running.url}/api/auth/me`, { headers });
      await using live = new Live(running.url, token, 'subscription { instanceChanged { id } }');
      await live.ended();
      expect(running.output.slice(before)).not.toContain(token);
    }
    await expect.poll(() => running.output.slice(before)).toContain('TOKEN_INVALID');
    const lines = running.output
      .slice(before)
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as { level: number; err?: unknown });
    expect(lines.filter(({ level, err }) => level > 20 || err !== undefined)).toEqual([]);
  } finally {
    await running.kill('SIGTERM');
  }
}, 120_000);
