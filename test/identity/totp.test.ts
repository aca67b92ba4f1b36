import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { dataOf, refusal } from '../support/answers.js';
import { startTestPanel, type TestPanel } from '../support/panel.js';
import type { Tenant } from '../support/world.js';
import { Mailbox } from './support/mailbox.js';
import { askForTotp, codeAt, enableTotp, nextCode, type Enabled } from './support/totp.js';

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

async function withTotp(): Promise<{ tenant: Tenant; enabled: Enabled }> {
  const tenant = await panel.world.tenant();
  return { tenant, enabled: await enableTotp(panel, tenant) };
}

async function login(tenant: Tenant, code?: string) {
  return panel.world.rest<{ challenge_token: string; access_token: string }>('/api/auth/login', {
    body: { ...tenant.account, ...(code === undefined ? {} : { totp_code: code }) },
  });
}

async function answer(challenge: string, code: string) {
  return panel.world.rest('/api/auth/totp/verify', { body: { code, challenge_token: challenge } });
}

const statuses = (answers: { status: number }[]) =>
  answers.map(({ status }) => status).toSorted((a, b) => a - b);

describe('switching on', () => {
  test('gives a secret in three forms and ten recovery codes, and is not in force until a code is verified', async () => {
    const tenant = await panel.world.tenant();
    const { status, body } = await askForTotp(tenant);
    expect(status).toBe(200);
    expect(body).toEqual({
      secret: expect.stringMatching(/^[A-Z2-7]{32}$/),
      otpauth_url: expect.stringContaining(`secret=${body.secret}`),
      qr_svg: expect.stringMatching(/^<svg/),
      recovery_codes: Array.from({ length: 10 }, () => expect.stringMatching(/^(\w{4}-){3}\w{4}$/)),
    });
    expect(new Set(body.recovery_codes).size).toBe(10);
    expect((await login(tenant)).body.access_token).toEqual(expect.any(String));
    const wrong = await tenant.rest('/api/auth/totp/verify', { body: { code: '000000' } });
    expect([wrong.status, wrong.body]).toEqual([
      422,
      { error: 'Validation failed', details: { code: 'Code is wrong or was used' } },
    ]);
    const me = await tenant.rest('/api/auth/me');
    expect(me.body['totp_enabled']).toBe(false);
  });

  test('asked again before it is verified, only the newest secret counts', async () => {
    const tenant = await panel.world.tenant();
    const [first, second] = [await askForTotp(tenant), await askForTotp(tenant)];
    const verify = async (secret: string) =>
      tenant.rest('/api/auth/totp/verify', { body: { code: codeAt(panel, secret) } });
    expect((await verify(first.body.secret)).status).toBe(422);
    expect((await verify(second.body.secret)).status).toBe(200);
  });

  test('a recovery code does not switch it on', async () => {
    const tenant = await panel.world.tenant();
    const { body } = await askForTotp(tenant);
    const verified = await tenant.rest('/api/auth/totp/verify', { body: { code: body.recovery_codes[0] } });
    expect(verified.status).toBe(422);
  });

  test('once on, it is a conflict; verifying without having asked is one as well', async () => {
    const { tenant } = await withTotp();
    const again = await askForTotp(tenant);
    expect([again.status, again.body]).toEqual([409, { error: 'TOTP is on already' }]);
    const other = await panel.world.tenant();
    expect((await other.rest('/api/auth/totp/verify', { body: { code: '123456' } })).status).toBe(409);
  });

  test('secret and recovery codes are not kept in the clear', async () => {
    const { enabled } = await withTotp();
    const kept = await panel.sql(
      `select t::text as text from identity.totp_secret t union all select r::text from identity.recovery_code r
       union all select o::text from identity.outbox o`,
    );
    for (const secret of [
      enabled.secret,
      ...enabled.recovery_codes,
      ...enabled.recovery_codes.map((c) => c.replaceAll('-', '')),
    ]) {
      expect(JSON.stringify(kept)).not.toContain(secret);
    }
  });

  test('is for users: strangers and nodes are refused', async () => {
    const tenant = await panel.world.tenant();
    const node = await tenant.node();
    for (const [path, body] of [
      ['/api/auth/totp/enable', { current_password: 'x' }],
      ['/api/auth/totp/verify', { code: '123456' }],
      ['/api/auth/totp/disable', { current_password: 'x', code: '123456' }],
    ] as const) {
      expect([path, (await panel.world.rest(path, { body })).status]).toEqual([path, 401]);
      expect([path, (await tenant.rest(path, { token: node.credential, body })).status]).toEqual([path, 403]);
    }
  });
});

describe('signing in', () => {
  test('without a code there is a challenge, which a code answers with tokens', async () => {
    const { tenant, enabled } = await withTotp();
    const challenge = await login(tenant);
    expect([challenge.status, challenge.body]).toEqual([
      200,
      { totp_required: true, challenge_token: expect.any(String), expires_in: 300 },
    ]);
    const tokens = await answer(challenge.body.challenge_token, await nextCode(panel, enabled.secret));
    expect([tokens.status, tokens.body]).toEqual([
      200,
      {
        user: expect.objectContaining({ id: tenant.user.id, totp_enabled: true }),
        access_token: expect.any(String),
        refresh_token: expect.any(String),
        token_type: 'Bearer',
        expires_in: 900,
      },
    ]);
  });

  test('with a code there are tokens at once', async () => {
    const { tenant, enabled } = await withTotp();
    expect((await login(tenant, await nextCode(panel, enabled.secret))).body.access_token).toEqual(
      expect.any(String),
    );
  });

  test('one step before and after is taken, two are not', async () => {
    for (const [steps, status] of [
      [-1, 200],
      [1, 200],
      [-2, 401],
      [2, 401],
    ] as const) {
      const { tenant, enabled } = await withTotp();
      await panel.clock.leap(120_000);
      expect([steps, (await login(tenant, codeAt(panel, enabled.secret, steps))).status]).toEqual([
        steps,
        status,
      ]);
    }
  });

  test('a code that was used, and any of an earlier step, is refused', async () => {
    const { tenant, enabled } = await withTotp();
    const code = await nextCode(panel, enabled.secret);
    expect((await login(tenant, code)).status).toBe(200);
    const again = await login(tenant, code);
    expect([again.status, again.body]).toEqual([401, { error: 'The code is wrong or was used' }]);
    expect((await login(tenant, codeAt(panel, enabled.secret, -1))).status).toBe(401);
  });

  test('of two parallel uses of one code exactly one wins', async () => {
    const { tenant, enabled } = await withTotp();
    const code = await nextCode(panel, enabled.secret);
    expect(statuses(await Promise.all([login(tenant, code), login(tenant, code)]))).toEqual([200, 401]);
  });

  test('a recovery code works once, in any writing, also in parallel', async () => {
    const { tenant, enabled } = await withTotp();
    const [one = '', two = ''] = enabled.recovery_codes;
    expect((await login(tenant, one.toUpperCase().replaceAll('-', ' '))).status).toBe(200);
    expect((await login(tenant, one)).status).toBe(401);
    const answers = await Promise.all([login(tenant, two), login(tenant, two), login(tenant, two)]);
    expect(statuses(answers)).toEqual([200, 401, 401]);
  });

  test('a challenge works once, for five minutes, and for its user only', async () => {
    const { tenant, enabled } = await withTotp();
    const challenge = (await login(tenant)).body.challenge_token;
    const [one, two] = enabled.recovery_codes;
    expect(statuses(await Promise.all([answer(challenge, one ?? ''), answer(challenge, two ?? '')]))).toEqual(
      [200, 401],
    );
    const late = (await login(tenant)).body.challenge_token;
    await panel.clock.leap(300_000);
    const refused = await answer(late, codeAt(panel, enabled.secret));
    expect([refused.status, refused.body]).toEqual([
      401,
      { error: 'The challenge is not valid, has ended, or was used; sign in again' },
    ]);
    const other = await withTotp();
    const theirs = (await login(tenant)).body.challenge_token;
    expect((await answer(theirs, await nextCode(panel, other.enabled.secret))).status).toBe(401);
  });

  test('a challenge that was open when the password changed is worth nothing', async () => {
    const { tenant, enabled } = await withTotp();
    const challenge = (await login(tenant)).body.challenge_token;
    const changed = await tenant.rest('/api/auth/change-password', {
      body: { current_password: tenant.account.password, new_password: 'another good password' },
    });
    expect(changed.status).toBe(204);
    expect((await answer(challenge, await nextCode(panel, enabled.secret))).status).toBe(401);
  });

  test('guessing is slowed down, and the right code works again after the pause', async () => {
    const { tenant, enabled } = await withTotp();
    const challenge = (await login(tenant)).body.challenge_token;
    const guesses = [];
    for (let guess = 0; guess < 6; guess += 1) guesses.push((await answer(challenge, '000000')).status);
    expect(guesses).toEqual([401, 401, 401, 401, 401, 429]);
    const refused = await answer(challenge, codeAt(panel, enabled.secret));
    expect([refused.status, Number(refused.headers.get('retry-after'))]).toEqual([429, 1]);
    expect((await answer(challenge, await nextCode(panel, enabled.secret))).status).toBe(200);
  });
});

describe('recovery codes', () => {
  const left = async (tenant: Tenant) =>
    dataOf(await tenant.graphql<{ me: { recoveryCodesLeft: number | null } }>('{ me { recoveryCodesLeft } }'))
      .me.recoveryCodesLeft;

  const regenerate = async (tenant: Tenant, code: string, currentPassword = tenant.account.password) =>
    tenant.graphql<{ regenerateRecoveryCodes: { recoveryCodes: string[] } }>(
      `mutation($input: RegenerateRecoveryCodesInput!) { regenerateRecoveryCodes(input: $input) { recoveryCodes } }`,
      { input: { currentPassword, code } },
    );

  test('of each that is used the user is told how many are left', async () => {
    const { tenant, enabled } = await withTotp();
    expect(await left(tenant)).toBe(10);
    for (const [index, rest] of [
      [0, '9 are left'],
      [1, '8 are left'],
    ] as const) {
      expect((await login(tenant, enabled.recovery_codes[index])).status).toBe(200);
      await expect
        .poll(async () => (await mailbox.receive(tenant.account.email, /recovery code was used/)).text)
        .toContain(rest);
    }
    expect((await login(tenant, enabled.recovery_codes[0])).status).toBe(401);
    expect(await left(tenant)).toBe(8);
    const told = mailbox.mails.filter(
      ({ to, subject }) => to === tenant.account.email && /recovery code/.test(subject),
    );
    expect(told).toHaveLength(2);
    expect(await left(await panel.world.tenant())).toBeNull();
  });

  test('new ones take the place of all from before, for the password and a one-time code', async () => {
    const { tenant, enabled } = await withTotp();
    const [old = '', spare = ''] = enabled.recovery_codes;
    const wrong = (field: string, sentence: string) => ({
      code: 'VALIDATION_FAILED',
      details: { [`input.${field}`]: sentence },
    });
    const code = await nextCode(panel, enabled.secret);
    expect(refusal(await regenerate(tenant, code, 'a guess'))).toEqual(
      wrong('currentPassword', 'Current password is wrong'),
    );
    for (const bad of ['000000', spare]) {
      expect(refusal(await regenerate(tenant, bad))).toEqual(wrong('code', 'Code is wrong or was used'));
    }
    expect((await login(tenant, spare)).status).toBe(200);
    const { recoveryCodes } = dataOf(await regenerate(tenant, code)).regenerateRecoveryCodes;
    expect(new Set(recoveryCodes).size).toBe(10);
    await mailbox.receive(tenant.account.email, /codes were replaced/);
    expect(await left(tenant)).toBe(10);
    expect((await login(tenant, old)).status).toBe(401);
    expect((await login(tenant, recoveryCodes[0])).status).toBe(200);
    expect(refusal(await regenerate(tenant, code))).toEqual(wrong('code', 'Code is wrong or was used'));
    expect(refusal(await regenerate(await panel.world.tenant(), code))).toEqual({
      code: 'CONFLICT',
      reason: 'TOTP_OFF',
    });
  });
});

describe('switching off', () => {
  const disable = async (tenant: Tenant, current_password: string, code: string) =>
    tenant.rest('/api/auth/totp/disable', { body: { current_password, code } });

  test('needs the password and a code', async () => {
    const { tenant, enabled } = await withTotp();
    const code = await nextCode(panel, enabled.secret);
    const wrongPassword = await disable(tenant, 'wrong', code);
    expect([wrongPassword.status, wrongPassword.body]).toEqual([
      422,
      { error: 'Validation failed', details: { current_password: 'Current password is wrong' } },
    ]);
    expect((await disable(tenant, tenant.account.password, '000000')).status).toBe(422);
    const off = await disable(tenant, tenant.account.password, code);
    expect([off.status, off.body]).toEqual([200, { totp_enabled: false }]);
    expect((await login(tenant)).body.access_token).toEqual(expect.any(String));
    expect((await disable(tenant, tenant.account.password, code)).status).toBe(409);
  });

  test('a recovery code stands in for a lost authenticator, and all of them end with it', async () => {
    const { tenant, enabled } = await withTotp();
    expect((await disable(tenant, tenant.account.password, enabled.recovery_codes[3] ?? '')).status).toBe(
      200,
    );
    const left = await panel.sql('select 1 from identity.recovery_code where user_id = $1', [tenant.user.id]);
    expect(left).toEqual([]);
  });
});
