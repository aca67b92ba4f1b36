import { createHash, randomUUID } from 'node:crypto';

import { hash } from '@node-rs/argon2';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { networkOf } from '#subgraphs/identity/throttle/network.js';

import { startTestPanel, type TestPanel } from '../support/panel.js';
import { until } from '../support/world.js';

let panel: TestPanel;
beforeAll(async () => {
  panel = await startTestPanel({ TRUST_PROXY: 'true' });
});
afterAll(async () => panel.stop());

let lastAddress = 0;
/** Each test comes from addresses of its own, so that only the account's pauses are felt. */
const address = () => `10.${(lastAddress += 1) >> 8}.${lastAddress & 255}.1`;

async function login(email: string, password: string, from = address()) {
  return panel.world.rest('/api/auth/login', {
    body: { email, password },
    headers: { 'x-forwarded-for': from },
  });
}

const refusal = { error: 'E-mail address or password is wrong' };

test('unknown e-mail, wrong password and paused account are one answer', async () => {
  const tenant = await panel.world.tenant();
  const paused = await panel.world.tenant();
  for (let guess = 0; guess < 6; guess += 1) await login(paused.account.email, 'wrong password');
  const answers = [
    await login(`${randomUUID()}@example.com`, tenant.account.password),
    await login(tenant.account.email, 'wrong password'),
    await login(paused.account.email, paused.account.password),
  ];
  for (const { status, body, headers } of answers) {
    expect([status, body, headers.get('retry-after'), headers.get('www-authenticate')]).toEqual([
      401,
      refusal,
      null,
      'Bearer',
    ]);
  }
});

test('they take the same time', async () => {
  type Kind = 'unknown' | 'wrong' | 'paused' | 'dormant';
  const rounds = 50;
  const spent: Record<Kind, number[]> = { unknown: [], wrong: [], paused: [], dormant: [] };
  const kinds = Object.keys(spent) as Kind[];
  const emails: Record<Kind, string[]> = {
    unknown: Array.from({ length: rounds }, () => `${randomUUID()}@example.com`),
    wrong: await accounts(rounds),
    paused: await accounts(rounds),
    dormant: await accounts(rounds),
  };
  for (const email of emails.paused) await pause(email);
  // Nobody has signed in since the parameters of hashes were raised.
  const weak = await hash('correct horse battery', { memoryCost: 8_192, timeCost: 1, parallelism: 1 });
  await panel.sql('update identity."user" set password_hash = $1 where email = any($2)', [
    weak,
    emails.dormant,
  ]);
  for (let round = 0; round < rounds; round += 1) {
    // Taking turns at being first spreads whatever else the machine does over all.
    for (let turn = 0; turn < kinds.length; turn += 1) {
      const kind = kinds[(round + turn) % kinds.length] ?? 'unknown';
      const from = address();
      const start = performance.now();
      const { status } = await login(emails[kind][round] ?? '', 'wrong password', from);
      spent[kind].push(performance.now() - start);
      expect(status).toBe(401);
      // What goes on after an answer is over before the next question.
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
  const usual = kinds.map((kind) => lowerQuarter(spent[kind]));
  const spread = (Math.max(...usual) - Math.min(...usual)) / Math.min(...usual);
  if (process.env['SHOW_TIMES']) process.stderr.write(`${kinds.join(', ')}: ${usual.join(', ')} ms\n`);
  expect(spread).toBeLessThan(0.35);
  // Someone who guesses from the time alone, by the best threshold there is, is right about as often as a coin.
  expect(bestGuess(spent.wrong, spent.unknown)).toBeLessThan(0.75);
  expect(bestGuess(spent.paused, spent.unknown)).toBeLessThan(0.75);
  expect(bestGuess(spent.dormant, spent.unknown)).toBeLessThan(0.75);
}, 120_000);

/** The addresses of so many accounts, all like one that was registered: each registration would hash a password. */
async function accounts(count: number): Promise<string[]> {
  const { user } = await panel.world.tenant();
  const rows = await panel.sql<{ email: string }>(
    `insert into identity."user" select (jsonb_populate_record(u, jsonb_build_object('id', u.id || n, 'email', n || u.email))).*
     from identity."user" u, generate_series(1, $2::integer) n where u.id = $1 returning email`,
    [user.id, count],
  );
  return rows.map(({ email }) => email);
}

/** What a busy machine adds to the others is not the panel's. */
function lowerQuarter(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 4)] ?? 0;
}

/** As five failures and one more would, without the time they take. */
async function pause(email: string): Promise<void> {
  const key = createHash('sha256').update(`account:${email}`).digest('base64url');
  const until = new Date(panel.clock.now().getTime() + 60 * 60_000);
  await panel.sql(
    `insert into identity.attempt (key, failures, blocked_until, last_failed_at, last_attempt_at)
     values ($1, 20, $2, $3, $3)`,
    [key, until, panel.clock.now()],
  );
}

/** How often the best rule "slower than t means an account" (or the reverse) is right. */
function bestGuess(known: number[], unknown: number[]): number {
  const share = (values: number[], t: number) => values.filter((value) => value > t).length / values.length;
  const rates = [...known, ...unknown].map((t) => (share(known, t) + 1 - share(unknown, t)) / 2);
  return Math.max(...rates.map((rate) => Math.max(rate, 1 - rate)));
}

describe('an account under attack', () => {
  test('is paused longer and longer, at most 15 minutes, and never for good', async () => {
    const { account } = await panel.world.tenant();
    for (let failure = 0; failure < 5; failure += 1)
      expect((await login(account.email, 'wrong')).status).toBe(401);
    // The right password is refused while the pause lasts, and an attempt does not prolong it.
    expect((await login(account.email, account.password)).status).toBe(401);
    await panel.clock.advance(1_000);
    expect((await login(account.email, 'wrong')).status).toBe(401);
    await panel.clock.advance(1_000);
    expect((await login(account.email, account.password)).status).toBe(401);
    for (let failure = 0; failure < 20; failure += 1) {
      await panel.clock.leap(15 * 60_000);
      await login(account.email, 'wrong');
    }
    await panel.clock.leap(15 * 60_000);
    expect((await login(account.email, account.password)).status).toBe(200);
    // Forgiven: the next failures are free again.
    expect((await login(account.email, 'wrong')).status).toBe(401);
    expect((await login(account.email, account.password)).status).toBe(200);
  });

  test('lets no more guesses through in parallel than in a row', async () => {
    const { account } = await panel.world.tenant();
    for (let failure = 0; failure < 5; failure += 1) await login(account.email, 'wrong');
    await panel.clock.advance(1_000);
    await until(async () => (await failures(account.email)) === 5, 'the first failures to be recorded');
    const before = 5;
    await Promise.all(Array.from({ length: 10 }, () => login(account.email, 'wrong')));
    await until(
      async () => (await failures(account.email)) > before,
      'the guess that was looked at to be recorded',
    );
    expect((await failures(account.email)) - before).toBe(1);
  });

  /** Counted by the events for the tenant, which stand for guesses that were looked at and failed. */
  async function failures(email: string): Promise<number> {
    const rows = await panel.sql(
      `select 1 from identity.outbox o join identity."user" u on u.tenant_id = o.tenant_id
       where u.email = $1 and o.topic = 'audit.security.recorded' and o.payload->>'action' = 'authn_login_fail'`,
      [email],
    );
    return rows.length;
  }
});

test('many people at one account at once are let in', async () => {
  const { account } = await panel.world.tenant();
  const answers = await Promise.all(Array.from({ length: 12 }, () => login(account.email, account.password)));
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
});

/** As so many more failures from there would, without the time that hashing takes. */
async function failMore(network: string, count: number): Promise<void> {
  await panel.sql(
    `select identity.settle_attempt(identity.attempt_key('address', $1), $2, 50, 'FAILED')
     from generate_series(1, $3::integer)`,
    [network, panel.clock.now(), count],
  );
}

test('an address that fails at many accounts has to wait, whatever the account', async () => {
  const from = address();
  const guess = async () => (await login(`${randomUUID()}@example.com`, 'wrong', from)).status;
  expect(await guess()).toBe(401);
  await failMore(from, 47);
  expect([await guess(), await guess()]).toEqual([401, 401]);
  const { account } = await panel.world.tenant();
  const refused = await login(account.email, account.password, from);
  expect([refused.status, refused.body, refused.headers.get('retry-after')]).toEqual([
    429,
    { error: 'Too many attempts; try again later' },
    '1',
  ]);
  expect((await login(account.email, account.password)).status).toBe(200);
  await panel.clock.advance(1_000);
  expect((await login(account.email, account.password, from)).status).toBe(200);
}, 120_000);

test('the addresses of one IPv6 network count together', async () => {
  const from = (n: number) => `2001:db8:${lastAddress}:7::${n.toString(16)}`;
  const guess = async (n: number) => (await login(`${randomUUID()}@example.com`, 'wrong', from(n))).status;
  expect(await guess(1)).toBe(401);
  await failMore(networkOf(from(1)), 47);
  expect([await guess(2), await guess(3), await guess(4)]).toEqual([401, 401, 429]);
}, 120_000);

test('a password that was hashed with other parameters is hashed anew at sign-in, also when two come at once', async () => {
  const { account, user } = await panel.world.tenant();
  const weak = await hash(account.password, { memoryCost: 8_192, timeCost: 1, parallelism: 1 });
  await panel.sql('update identity."user" set password_hash = $1 where id = $2', [weak, user.id]);
  const answers = await Promise.all([
    login(account.email, account.password),
    login(account.email, account.password),
  ]);
  expect(answers.map(({ status }) => status)).toEqual([200, 200]);
  const [row] = await panel.sql<{ password_hash: string }>(
    'select password_hash from identity."user" where id = $1',
    [user.id],
  );
  expect(row?.password_hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  expect((await login(account.email, account.password)).status).toBe(200);
});

test('failed sign-ins are told to whoever watches over the tenant, without the password', async () => {
  const tenant = await panel.world.tenant();
  await login(tenant.account.email, 'a wrong password');
  await expect
    .poll(() =>
      panel.sql(
        `select payload from identity.outbox where tenant_id = $1 and topic = 'audit.security.recorded'`,
        [tenant.id],
      ),
    )
    .toEqual([
      {
        payload: {
          action: 'authn_login_fail',
          userId: tenant.user.id,
          reason: 'wrong password',
          clientAddress: expect.stringMatching(/^10\./),
        },
      },
    ]);
});

test('a failed sign-in is recorded before it is answered, in the same way for names with an account and without', async () => {
  const { account, user } = await panel.world.tenant();
  await panel.sql(`delete from jobs.job where name = 'identity.sign-in.record-failure'`);
  for (const email of [`${randomUUID()}@example.com`, account.email]) {
    expect((await login(email, 'wrong')).status).toBe(401);
    const jobs = await panel.sql<{ user: string }>(
      `select data->>'userId' as user from jobs.job where name = 'identity.sign-in.record-failure'
       order by created_on desc limit 1`,
    );
    expect(jobs).toEqual([{ user: email === account.email ? user.id : 'usr_none' }]);
  }
});
