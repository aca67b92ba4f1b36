import { randomUUID } from 'node:crypto';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { startTestPanel, type TestPanel } from '../support/panel.js';
import type { Tenant } from '../support/world.js';
import { Mailbox } from './support/mailbox.js';

let panel: TestPanel;
let mailbox: Mailbox;
beforeAll(async () => {
  mailbox = await Mailbox.start();
  panel = await startTestPanel({ SMTP_URL: mailbox.url });
});
afterAll(async () => {
  await panel.stop();
  await mailbox[Symbol.asyncDispose]();
});

const newPassword = 'a brand new password';

async function canLogIn(email: string, password: string): Promise<boolean> {
  return (await panel.world.login(email, password)).status === 200;
}

async function isLive(refreshToken: string): Promise<boolean> {
  const answer = await panel.world.rest('/api/auth/refresh', { body: { refresh_token: refreshToken } });
  return answer.status === 200;
}

const put = async (tenant: Tenant, body: unknown) =>
  tenant.rest('/api/auth/profile', { method: 'PUT', body });

describe('profile', () => {
  test('a name changes alone, and what is absent stays', async () => {
    const tenant = await panel.world.tenant();
    const answer = await put(tenant, { name: 'New Name' });
    expect([answer.status, answer.body]).toEqual([
      200,
      {
        id: tenant.user.id,
        email: tenant.account.email,
        name: 'New Name',
        role: 'owner',
        totp_enabled: false,
        created_at: expect.any(String),
        tenant: { id: tenant.id, name: expect.any(String), plan: 'free' },
      },
    ]);
    expect((await put(tenant, {})).body).toEqual(answer.body);
  });

  test('an address that somebody has is a conflict, in any case', async () => {
    const [tenant, other] = [await panel.world.tenant(), await panel.world.tenant()];
    const answer = await put(tenant, {
      email: other.account.email.toUpperCase(),
      current_password: tenant.account.password,
    });
    expect([answer.status, answer.body]).toEqual([
      409,
      { error: 'An account with this e-mail address exists' },
    ]);
  });

  test('bad input is named by field', async () => {
    const tenant = await panel.world.tenant();
    const answer = await put(tenant, { name: ' ', email: 'nonsense' });
    expect([answer.status, answer.body]).toEqual([
      422,
      {
        error: 'Validation failed',
        details: {
          name: 'Name is required',
          current_password: 'Current password is required',
          email: 'Email must be an e-mail address',
        },
      },
    ]);
    const unproved = await put(tenant, { name: ' ', email: 'new@example.com' });
    expect(unproved.body).toEqual({
      error: 'Validation failed',
      details: { name: 'Name is required', current_password: 'Current password is required' },
    });
  });

  test('is for users only', async () => {
    const tenant = await panel.world.tenant();
    const node = await tenant.node();
    const options = { method: 'PUT', body: { name: 'X' } };
    expect((await panel.world.rest('/api/auth/profile', options)).status).toBe(401);
    expect((await tenant.rest('/api/auth/profile', { ...options, token: node.credential })).status).toBe(403);
  });
});

describe('changing the password', () => {
  const change = async (tenant: Tenant, current_password: string, new_password: string) =>
    tenant.rest('/api/auth/change-password', { body: { current_password, new_password } });

  test('ends the other sessions and keeps the one that asks', async () => {
    const tenant = await panel.world.tenant();
    const other = await panel.world.login(tenant.account.email, tenant.account.password);
    const answer = await change(tenant, tenant.account.password, newPassword);
    expect([answer.status, answer.text]).toEqual([204, '']);
    expect(await isLive(tenant.refreshToken)).toBe(true);
    expect(await isLive(other.body.refresh_token)).toBe(false);
    expect(await canLogIn(tenant.account.email, tenant.account.password)).toBe(false);
    expect(await canLogIn(tenant.account.email, newPassword)).toBe(true);
    await mailbox.receive(tenant.account.email, /password was changed/);
  });

  test('a wrong current password and a weak new one are named by field', async () => {
    const tenant = await panel.world.tenant();
    const wrong = await change(tenant, 'wrong', newPassword);
    expect([wrong.status, wrong.body]).toEqual([
      422,
      { error: 'Validation failed', details: { current_password: 'Current password is wrong' } },
    ]);
    const weak = await change(tenant, tenant.account.password, 'short');
    expect([weak.status, weak.body]).toEqual([
      422,
      { error: 'Validation failed', details: { new_password: 'Password must have at least 12 characters' } },
    ]);
    expect(await canLogIn(tenant.account.email, tenant.account.password)).toBe(true);
  });

  test('of two at once, one wins', async () => {
    const tenant = await panel.world.tenant();
    const { password } = tenant.account;
    const answers = await Promise.all(
      ['one', 'two'].map(async (n) => change(tenant, password, `${newPassword} ${n}`)),
    );
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([204, 422]);
  });

  test('guessing the current password with a stolen token is slowed down', async () => {
    const tenant = await panel.world.tenant();
    const guesses = [];
    for (let guess = 0; guess < 6; guess += 1)
      guesses.push((await change(tenant, 'wrong', newPassword)).status);
    expect(guesses).toEqual([422, 422, 422, 422, 422, 429]);
  });
});

describe('a forgotten password', () => {
  const forgot = async (email: string) => panel.world.rest('/api/auth/password/forgot', { body: { email } });
  const reset = async (token: string, password = newPassword) =>
    panel.world.rest('/api/auth/password/reset', { body: { token, new_password: password } });
  const refusal = [401, { error: 'The link is not valid, has ended, or was used before' }];

  test('is replaced by the link that was mailed, once, and all sessions end', async () => {
    const tenant = await panel.world.tenant();
    expect((await forgot(tenant.account.email)).status).toBe(204);
    const token = await mailbox.token(tenant.account.email, /new password/);
    expect((await reset(token, 'short')).status).toBe(422);
    expect((await reset(token)).status).toBe(204);
    expect(await isLive(tenant.refreshToken)).toBe(false);
    expect(await canLogIn(tenant.account.email, newPassword)).toBe(true);
    const again = await reset(token);
    expect([again.status, again.body]).toEqual(refusal);
  });

  test('lets a user in whom failures of others had kept out', async () => {
    const tenant = await panel.world.tenant();
    for (let guess = 0; guess < 6; guess += 1) await panel.world.login(tenant.account.email, 'wrong');
    expect(await canLogIn(tenant.account.email, tenant.account.password)).toBe(false);
    await forgot(tenant.account.email);
    await reset(await mailbox.token(tenant.account.email, /new password/));
    expect(await canLogIn(tenant.account.email, newPassword)).toBe(true);
  });

  test('the answer does not tell whether there is an account', async () => {
    const tenant = await panel.world.tenant();
    const known = await forgot(tenant.account.email);
    const unknown = await forgot(`${randomUUID()}@example.com`);
    expect([unknown.status, unknown.text]).toEqual([known.status, known.text]);
    await mailbox.receive(tenant.account.email, /new password/);
  });

  test('a link ends after an hour, with a newer one, and is not good for another purpose', async () => {
    const tenant = await panel.world.tenant();
    const verification = await mailbox.token(tenant.account.email, /Confirm/);
    await forgot(tenant.account.email);
    const first = await mailbox.token(tenant.account.email, /new password/);
    await forgot(tenant.account.email);
    const second = await mailbox.token(tenant.account.email, /new password/);
    expect((await reset(first)).status).toBe(401);
    expect((await reset(verification)).status).toBe(401);
    expect((await reset('nonsense')).status).toBe(401);
    await panel.clock.leap(60 * 60_000);
    expect((await reset(second)).status).toBe(401);
    expect(await canLogIn(tenant.account.email, tenant.account.password)).toBe(true);
  });

  test('of two uses of a link at once, one wins', async () => {
    const tenant = await panel.world.tenant();
    await forgot(tenant.account.email);
    const token = await mailbox.token(tenant.account.email, /new password/);
    const answers = await Promise.all([reset(token, `${newPassword} 1`), reset(token, `${newPassword} 2`)]);
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([204, 401]);
  });

  test("nobody's mailbox is filled", async () => {
    const tenant = await panel.world.tenant();
    for (let ask = 0; ask < 6; ask += 1) expect((await forgot(tenant.account.email)).status).toBe(204);
    await mailbox.receive(tenant.account.email, /new password/);
    const other = await panel.world.tenant();
    await forgot(other.account.email);
    await mailbox.receive(other.account.email, /new password/);
    const mails = mailbox.mails.filter(
      ({ to, subject }) => to === tenant.account.email && /new password/.test(subject),
    );
    expect(mails.length).toBeLessThanOrEqual(3);
  });

  test('tokens are kept as hashes only', async () => {
    const tenant = await panel.world.tenant();
    await forgot(tenant.account.email);
    const token = await mailbox.token(tenant.account.email, /new password/);
    const kept = await panel.sql(
      'select t::text as text from identity.mail_token t union all select o::text from identity.outbox o',
    );
    expect(JSON.stringify(kept)).not.toContain(token);
  });
});

describe('an e-mail address', () => {
  const verify = async (token: string) =>
    panel.world.graphql<{ verifyEmail: unknown }>(
      'mutation($input: VerifyEmailInput!) { verifyEmail(input: $input) { email emailVerified } }',
      { input: { token } },
    );
  const isVerified = async (tenant: Tenant) =>
    (await tenant.graphql<{ me: { emailVerified: boolean } }>('{ me { emailVerified } }')).data?.me
      .emailVerified;

  test('is verified by the link that came with the registration, once', async () => {
    const tenant = await panel.world.tenant();
    expect(await isVerified(tenant)).toBe(false);
    const token = await mailbox.token(tenant.account.email, /Confirm/);
    expect((await verify(token)).data?.verifyEmail).toEqual({
      email: tenant.account.email,
      emailVerified: true,
    });
    expect(await isVerified(tenant)).toBe(true);
    expect((await verify(token)).errors?.[0]?.extensions).toEqual({
      code: 'UNAUTHENTICATED',
      reason: 'MAIL_TOKEN_INVALID',
    });
  });

  test('gets another link on demand, and none once it is verified', async () => {
    const tenant = await panel.world.tenant();
    await mailbox.token(tenant.account.email, /Confirm/);
    const resend = 'mutation { sendEmailVerification { emailVerified } }';
    expect((await tenant.graphql(resend)).data).toEqual({ sendEmailVerification: { emailVerified: false } });
    await verify(await mailbox.token(tenant.account.email, /Confirm/));
    expect((await tenant.graphql(resend)).data).toEqual({ sendEmailVerification: { emailVerified: true } });
    expect((await panel.world.graphql(resend)).errors?.[0]?.extensions['code']).toBe('UNAUTHENTICATED');
  });

  test.each([
    '/account/verify-email',
    '/account/reset-password',
    '/account/confirm-email-change',
    '/account/forgot-password',
  ])('the page at %s runs its own script only', async (path) => {
    const { status, headers } = await panel.world.rest(path);
    expect(status).toBe(200);
    expect(headers.get('content-security-policy')).toMatch(
      /^default-src 'none'; script-src 'sha256-[^']+'; style-src/,
    );
    expect(headers.get('cache-control')).toBe('no-store');
  });
});

test('the link of an invitation leads to a page that asks for a name and a password', async () => {
  const page = await panel.world.rest('/account/accept-invitation');
  expect([page.status, page.headers.get('content-security-policy')]).toEqual([
    200,
    expect.stringContaining("default-src 'none'"),
  ]);
  expect(page.text).toMatch(/name="name"[\s\S]*name="password"[\s\S]*AcceptInvitationInput/);
});
