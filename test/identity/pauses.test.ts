import { createHash } from 'node:crypto';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import type { TestPanel } from '../support/panel.js';
import { FormBrowser } from './support/browser.js';
import { Mailbox } from './support/mailbox.js';
import { authorizePage, enrollClient, startReachablePanel } from './support/oauth.js';

const minute = 60_000;

let mailbox: Mailbox;
let panel: TestPanel;
beforeAll(async () => {
  mailbox = await Mailbox.start();
  panel = await startReachablePanel({ SMTP_URL: mailbox.url, TRUST_PROXY: 'true' });
});
afterAll(async () => {
  await panel.stop();
  await mailbox[Symbol.asyncDispose]();
});

let lastAddress = 0;
/** One that nobody has come from. */
const stranger = () => `10.${(lastAddress += 1) >> 8}.${lastAddress & 255}.7`;

async function login(email: string, password: string, from = stranger()): Promise<number> {
  const answer = await panel.world.rest('/api/auth/login', {
    body: { email, password },
    headers: { 'x-forwarded-for': from },
  });
  return answer.status;
}

describe('an account whose password somebody guesses', () => {
  test('lets its owner in from where the owner has signed in before, all day long', async () => {
    const { account } = await panel.world.tenant();
    const home = '2001:db8:77:1::5';
    expect(await login(account.email, account.password, home)).toBe(200);
    for (let failure = 0; failure < 8; failure += 1) {
      await login(account.email, 'wrong');
      await panel.clock.leap(5_000);
    }
    const statuses = [];
    for (let visit = 0; visit < 5; visit += 1) {
      await login(account.email, 'wrong');
      await panel.clock.leap(40_000);
      await login(account.email, 'wrong');
      statuses.push(await login(account.email, account.password, `2001:db8:77:1::${visit + 10}`));
    }
    expect(statuses).toEqual(Array.from({ length: 5 }, () => 200));
    // From anywhere else the right password is a guess like any other.
    expect(await login(account.email, account.password)).toBe(401);
  });

  test('counts the failures of a familiar network by themselves, with the same pauses', async () => {
    const { account } = await panel.world.tenant();
    const home = stranger();
    expect(await login(account.email, account.password, home)).toBe(200);
    for (let failure = 0; failure < 5; failure += 1) await login(account.email, 'wrong', home);
    expect(await login(account.email, account.password, home)).toBe(401);
    expect(await login(account.email, account.password)).toBe(200);
    await panel.clock.leap(1_000);
    expect(await login(account.email, account.password, home)).toBe(200);
  });

  test('forgets a network that nobody has signed in from for 30 days', async () => {
    const { account, user } = await panel.world.tenant();
    const home = stranger();
    expect(await login(account.email, account.password, home)).toBe(200);
    await panel.sql(
      `update identity.session set created_at = created_at - interval '31 days' where user_id = $1`,
      [user.id],
    );
    for (let failure = 0; failure < 5; failure += 1) await login(account.email, 'wrong');
    expect(await login(account.email, account.password, home)).toBe(401);
  });

  test('is one account however its name is spelled', async () => {
    const email = 'philip.iris@pauses.example';
    const account = { email, password: 'correct horse battery', name: 'Philip' };
    expect((await panel.world.rest('/api/auth/register', { body: account })).status).toBe(201);
    for (let failure = 0; failure < 5; failure += 1) await login(email, 'wrong');
    // To PostgreSQL the capital dotted I is an i, to JavaScript an i with a dot above.
    for (const spelling of ['ph\u0130lip.iris@pauses.example', 'PHILIP.\u0130ris@pauses.example', email]) {
      expect([spelling, await login(spelling, account.password)]).toEqual([spelling, 401]);
    }
  });
});

describe('an address that many people share', () => {
  const from = '203.0.113.9';
  const key = createHash('sha256').update(`address:${from}`).digest('base64url');

  async function failed(failures: number, ago: number): Promise<void> {
    const at = new Date(panel.clock.now().getTime() - ago);
    await panel.sql('delete from identity.attempt where key = $1', [key]);
    await panel.sql(
      'insert into identity.attempt (key, failures, last_failed_at, last_attempt_at) values ($1, $2, $3, $3)',
      [key, failures, at],
    );
  }

  test('is not paused by those who sign in', async () => {
    const people = [await panel.world.tenant(), await panel.world.tenant(), await panel.world.tenant()];
    await failed(60, minute);
    const statuses = [];
    for (const { account } of people) statuses.push(await login(account.email, account.password, from));
    expect(statuses).toEqual([200, 200, 200]);
    expect([
      await login('nobody@pauses.example', 'wrong', from),
      await login('a@b.example', 'x', from),
    ]).toEqual([401, 429]);
  });

  test('is forgiven one failure for every quarter of an hour', async () => {
    await failed(51, 45 * minute);
    const statuses = [];
    for (let failure = 0; failure < 3; failure += 1)
      statuses.push(await login('nobody@pauses.example', 'wrong', from));
    expect(statuses).toEqual([401, 401, 429]);
  });
});

test('a form with a null character is refused, and no attempt stays under way', async () => {
  const tenant = await panel.world.tenant();
  const client = await enrollClient(panel, tenant);
  const browser = await new FormBrowser().get(authorizePage(panel, client));
  await browser.submit({ email: 'a\0b@example.com', password: 'x' });
  expect([browser.status, browser.html]).toEqual([400, expect.stringContaining('not well-formed')]);
  expect(await panel.sql('select 1 from identity.attempt where pending > 0')).toEqual([]);
});

test('an attempt that fails on our side is neither counted nor left under way', async () => {
  const { account, user } = await panel.world.tenant();
  const setHash = 'update identity."user" set password_hash = $2 where id = $1';
  const [row] = await panel.sql<{ hash: string }>(
    'select password_hash as hash from identity."user" where id = $1',
    [user.id],
  );
  await panel.sql(setHash, [user.id, 'no hash']);
  const from = stranger();
  for (let attempt = 0; attempt < 6; attempt += 1)
    expect(await login(account.email, account.password, from)).toBe(500);
  expect(await panel.sql('select 1 from identity.attempt where pending > 0')).toEqual([]);
  await panel.sql(setHash, [user.id, row?.hash]);
  expect(await login(account.email, account.password, from)).toBe(200);
});

test('a changed password ends the links that were mailed for choosing one', async () => {
  const tenant = await panel.world.tenant();
  await panel.world.rest('/api/auth/password/forgot', { body: { email: tenant.account.email } });
  const token = await mailbox.token(tenant.account.email, /new password/);
  const change = { current_password: tenant.account.password, new_password: 'another good password' };
  expect((await tenant.rest('/api/auth/change-password', { body: change })).status).toBe(204);
  const reset = await panel.world.rest('/api/auth/password/reset', {
    body: { token, new_password: 'the thief chose this' },
  });
  expect(reset.status).toBe(401);
  expect(await login(tenant.account.email, 'another good password')).toBe(200);
});

describe('changes of the e-mail address', () => {
  const change = async (tenant: Awaited<ReturnType<TestPanel['world']['tenant']>>, email: string) =>
    tenant.rest('/api/auth/profile', {
      method: 'PUT',
      body: { email, current_password: tenant.account.password },
    });

  test('mail no stranger more than a few times, whoever makes them', async () => {
    const statuses: number[] = [];
    for (let turn = 0; turn < 5; turn += 1) {
      const tenant = await panel.world.tenant();
      statuses.push((await change(tenant, 'Victim@pauses.example')).status);
      if (statuses.at(-1) === 200) await change(tenant, `away-${turn}@pauses.example`);
    }
    expect(statuses).toEqual([200, 200, 200, 429, 429]);
  });

  test('are counted per user as well', async () => {
    const tenant = await panel.world.tenant();
    const answers = [];
    for (let turn = 0; turn < 4; turn += 1) answers.push(await change(tenant, `hop-${turn}@pauses.example`));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 429]);
    expect(answers.at(-1)?.headers.get('retry-after')).toMatch(/^\d+$/);
    // The name alone causes no mail.
    const renamed = await tenant.rest('/api/auth/profile', { method: 'PUT', body: { name: 'Somebody' } });
    expect(renamed.status).toBe(200);
  });
});
