import { randomUUID } from 'node:crypto';

import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';

import { startPanel } from '#panel/panel.js';
import { panelOptions } from '#panel/run.js';
import { createLogger } from '#platform/logger.js';

import { TestClock } from '../support/clock.js';
import { hurryJobs } from '../support/jobs.js';
import { createTestDatabase, startTestPanel, testSecretsKey, type TestPanel } from '../support/panel.js';
import { freePort, PanelProcess, runProgram } from '../support/process.js';
import { World } from '../support/world.js';
import { entryOf } from './audit/support.js';
import { Mailbox } from './support/mailbox.js';

interface Store {
  sql: (text: string) => Promise<Record<string, unknown>[]>;
}

const patience = { timeout: 20_000, interval: 50 };
const password = 'correct horse battery';
const verifyEmail = 'mutation($token: String!) { verifyEmail(input: { token: $token }) { emailVerified } }';

/** The only mail failed and waits for its next attempt. */
const waits = async (store: Store) =>
  vi.waitUntil(async () => (await mails(store)).join() === 'retry', patience);

async function mails(store: Store): Promise<unknown[]> {
  const rows = await store.sql(
    `select state from jobs.job where name = 'identity.mail.send' order by created_on`,
  );
  return rows.map(({ state }) => state);
}

/** As if the pause before the next attempt were over. */
const hurry = async (store: Store) =>
  store.sql(`update jobs.job set start_after = now() where name = 'identity.mail.send' and state = 'retry'`);

/** A panel of its own in this process, and what it logs. */
async function logged(settings: Record<string, string>) {
  const database = await createTestDatabase();
  const lines: string[] = [];
  const { panel: env, ...options } = panelOptions({
    DATABASE_URL: database.url,
    SECRETS_KEY: testSecretsKey,
    PUBLIC_URL: 'http://panel.test',
    PORT: '0',
    HOST: '127.0.0.1',
    DRAIN_SECONDS: '0',
    ...settings,
  });
  const logger = createLogger(env.LOG_LEVEL, { write: (line) => lines.push(line) });
  const panel = await startPanel({ ...options, panel: env, logger });
  return {
    lines,
    world: new World(panel.url, new TestClock()),
    [Symbol.asyncDispose]: async () => {
      await panel.stop();
      await database.drop();
    },
  };
}

test('mail whose server is down is delivered when it is back, and lies nowhere in clear', async () => {
  const port = await freePort();
  await using panel = await startTestPanel({
    SMTP_URL: `smtp://127.0.0.1:${port}`,
    ADMIN_EMAIL: '',
    ADMIN_PASSWORD: '',
  });
  const { account } = await panel.world.tenant();
  await waits(panel);
  await using mailbox = await Mailbox.start(port);
  await hurry(panel);
  const token = await mailbox.token(account.email, /Confirm/);
  expect((await panel.world.graphql(verifyEmail, { token })).data).toEqual({
    verifyEmail: { emailVerified: true },
  });
  await expect.poll(async () => mails(panel), patience).toEqual(['completed']);
  const kept = JSON.stringify(await panel.sql('select j::text from jobs.job j'));
  expect([kept.includes('sealed'), kept.includes(token), kept.includes(account.email)]).toEqual([
    true,
    false,
    false,
  ]);
  expect(mailbox.mails).toEqual([]);
});

test('who runs the panel sees the mail that failed for good, and has it delivered once its server is back', async () => {
  const port = await freePort();
  await using panel = await startTestPanel({ SMTP_URL: `smtp://127.0.0.1:${port}` });
  const jobs = async (...argv: string[]) =>
    runProgram('jobs', { DATABASE_URL: panel.database.url, SECRETS_KEY: testSecretsKey }, { argv });
  expect(await jobs('failed')).toEqual({
    code: 0,
    output: 'No job has failed for good in the last seven days.\n',
  });
  const tenant = await panel.world.tenant();
  const job = 'identity.mail.send';
  const rows = async () =>
    panel.sql<{ id: string; state: string }>(
      `select id, state from jobs.job where name = $1 and data->>'tenantId' = $2`,
      [job, tenant.user.tenant.id],
    );
  const isOver = async () => {
    await hurryJobs(panel, job);
    return (await rows()).map(({ state }) => state);
  };
  await expect.poll(isOver, { timeout: 60_000, interval: 200 }).toEqual(['failed']);
  const id = (await rows())[0]!.id;

  const shown = await jobs('failed', job);
  expect([shown.code, shown.output]).toEqual([
    0,
    expect.stringMatching(/^identity\n {2}identity\.mail\.send: /),
  ]);
  expect(shown.output).toContain(` ${id} of ${tenant.user.tenant.id}, after 9 attempts\n      Error: `);
  expect(shown.output).toContain('ECONNREFUSED');
  expect(shown.output).not.toContain(tenant.account.email);

  const unknown = randomUUID();
  for (const what of [unknown, 'identity.mail', 'mail'])
    expect(await jobs('retry', what)).toEqual({
      code: 1,
      output: `No job ${what} has failed for good in the last seven days.\n`,
    });
  for (const argv of [[], ['retry'], ['forget', id], ['failed', job, id]])
    expect(await jobs(...argv)).toEqual({
      code: 1,
      output: expect.stringMatching(/^npm run jobs -- failed, /),
    });

  await using mailbox = await Mailbox.start(port);
  const retried = await jobs('retry', id);
  expect(retried).toEqual({ code: 0, output: expect.stringMatching(/^1 asked for: /) });
  await mailbox.receive(tenant.account.email, /Confirm/);
  expect(await entryOf(tenant, 'retryJobs')).toMatchObject({ actorKind: 'operator', target: id });
}, 120_000);

describe('with a mail server', () => {
  let mailbox: Mailbox;
  let panel: TestPanel;
  beforeAll(async () => {
    mailbox = await Mailbox.start();
    panel = await startTestPanel({ SMTP_URL: mailbox.url });
  });
  afterAll(async () => {
    await panel.stop();
    await mailbox[Symbol.asyncDispose]();
  });

  test('a mutation that is undone mails nothing', async () => {
    const register = async (email: string) =>
      panel.world.rest('/api/auth/register', { body: { email, password, name: 'Owner' } });
    const [undone, kept] = [`${randomUUID()}@example.com`, `${randomUUID()}@example.com`];
    // Signing in is the registration's last act: it fails with everything else done.
    await panel.sql('alter table identity.session add constraint undone check (false) not valid');
    expect((await register(undone)).status).toBe(500);
    await panel.sql('alter table identity.session drop constraint undone');
    expect((await register(kept)).status).toBe(201);
    await mailbox.receive(kept, /Confirm/);
    await expect.poll(async () => mails(panel), patience).toEqual(['completed', 'completed']);
    expect(mailbox.mails.map(({ to }) => to).toSorted()).toEqual(['admin@panel.test', kept].toSorted());
  });

  test('a reset is asked for in the same way for addresses with an account and without', async () => {
    const { account, user } = await panel.world.tenant();
    const unknown = `${randomUUID()}@example.com`;
    for (const email of [unknown, account.email]) {
      const answer = await panel.world.rest('/api/auth/password/forgot', { body: { email } });
      expect(answer.status).toBe(204);
    }
    await mailbox.receive(account.email, /new password/);
    const offers = async () =>
      panel.sql(
        `select state, data->>'userId' as user from jobs.job
       where name = 'identity.password-reset.offer' order by created_on`,
      );
    await expect.poll(offers, patience).toEqual([
      { state: 'completed', user: 'usr_none' },
      { state: 'completed', user: user.id },
    ]);
    expect(mailbox.mails.filter(({ to }) => to === unknown)).toEqual([]);
  });
});

test('a panel that is killed after its answer loses no mail', async () => {
  const database = await createTestDatabase();
  const owner = new pg.Pool({ connectionString: database.ownerUrl, max: 1 });
  owner.on('error', () => undefined);
  const store: Store = { sql: async (text) => (await owner.query<Record<string, unknown>>(text)).rows };
  const [port, smtpPort] = [await freePort(), await freePort()];
  const start = async () =>
    new PanelProcess(port, {
      DATABASE_URL: database.url,
      SECRETS_KEY: testSecretsKey,
      SMTP_URL: `smtp://127.0.0.1:${smtpPort}`,
    }).ready();
  let running = await start();
  try {
    const { account } = await new World(running.url, new TestClock()).tenant();
    await waits(store);
    expect(await running.kill('SIGKILL')).toBe('SIGKILL');
    await using mailbox = await Mailbox.start(smtpPort);
    await hurry(store);
    running = await start();
    expect(await mailbox.token(account.email, /Confirm/)).not.toBe('');
  } finally {
    await running.kill('SIGTERM');
    await owner.end();
    await database.drop();
  }
}, 120_000);

test('without SMTP_URL a mail leaves neither its address nor its link in the log, and the start says so', async () => {
  await using panel = await logged({ LOG_LEVEL: 'debug' });
  const saying = (words: string) =>
    panel.lines
      .map((line) => JSON.parse(line) as Record<string, unknown>)
      .filter(({ msg }) => String(msg).includes(words));
  expect(saying('MAIL_LOG=true')).toHaveLength(1);
  const { account } = await panel.world.tenant();
  await vi.waitUntil(() => saying('a mail was not sent').length > 0, patience);
  expect(saying('a mail was not sent')).toEqual([
    expect.objectContaining({
      level: 40,
      kind: 'Confirm your e-mail address',
      domains: ['example.com'],
      mailId: expect.any(String),
    }),
  ]);
  const output = panel.lines.join('');
  const [name] = account.email.split('@') as [string];
  expect([output.includes(name), output.includes('verify-email#token')]).toEqual([false, false]);
}, 120_000);

test('with MAIL_LOG the link of a mail is in the log, also where little is logged', async () => {
  await using panel = await logged({ LOG_LEVEL: 'warn', MAIL_LOG: 'true' });
  const { account } = await panel.world.tenant();
  const line = await vi.waitUntil(() => panel.lines.find((text) => text.includes(account.email)), patience);
  expect(JSON.parse(line)).toMatchObject({
    level: 40,
    to: account.email,
    msg: 'SMTP_URL is not set: this mail went nowhere but here',
  });
  const token = /verify-email#token=([\w-]{43})/.exec(line)?.[1];
  expect((await panel.world.graphql(verifyEmail, { token })).errors).toBeUndefined();
}, 120_000);
