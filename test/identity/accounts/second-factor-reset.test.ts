import { afterAll, beforeAll, expect, test } from 'vitest';

import { dataOf, refusal } from '../../support/answers.js';
import { startTestPanel, type TestPanel } from '../../support/panel.js';
import type { Tenant } from '../../support/world.js';
import { entryOf } from '../audit/support.js';
import { Mailbox } from '../support/mailbox.js';
import { askForTotp, enableTotp, nextCode } from '../support/totp.js';

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

const reset = async (token: string | undefined, userId: string, more: Record<string, unknown> = {}) =>
  panel.world.graphql<{ resetSecondFactor: unknown }>(
    'mutation($input: ResetSecondFactorInput!) { resetSecondFactor(input: $input) { userId totpEnabled } }',
    { input: { userId, currentPassword: 'correct horse battery', ...more } },
    token,
  );

const endSessions = async (
  token: string | undefined,
  userId: string,
  currentPassword: string | null = 'correct horse battery',
) =>
  panel.world.graphql(
    `mutation($userId: ID!, $currentPassword: String) {
      endMemberSessions(userId: $userId, currentPassword: $currentPassword) { id recoveryCodesLeft }
    }`,
    { userId, currentPassword },
    token,
  );

/** Somebody else in a tenant, who has come by an invitation. */
async function join(tenant: Tenant, role: string) {
  const email = `${role.toLowerCase()}-${tenant.account.email}`;
  const { password } = tenant.account;
  const input = { email, role, currentPassword: password };
  dataOf(
    await tenant.graphql('mutation($input: InviteMemberInput!) { inviteMember(input: $input) { id } }', {
      input,
    }),
  );
  const answer = await panel.world.graphql<{
    acceptInvitation: { accessToken: string; user: { id: string } };
  }>(
    'mutation($input: AcceptInvitationInput!) { acceptInvitation(input: $input) { accessToken user { id } } }',
    { input: { token: await mailbox.token(email, /Join/), name: role, password } },
  );
  const { accessToken, user } = dataOf(answer).acceptInvitation;
  return { id: user.id, token: accessToken, email };
}

/** As if they had switched it on and lost it. */
async function withLostCodes(userId: string): Promise<void> {
  await panel.sql('update identity."user" set totp_confirmed_at = $1 where id = $2', [
    panel.clock.now(),
    userId,
  ]);
}

const signIn = async (email: string) => (await panel.world.login(email, 'correct horse battery')).body;
const standing = { code: 'FORBIDDEN', reason: 'ADMINISTRATOR_REQUIRED' };

test('a token alone switches nothing on: the password is asked for, guesses are slowed down, and the owner is told', async () => {
  const tenant = await panel.world.tenant();
  const missing = await tenant.rest('/api/auth/totp/enable', { method: 'POST' });
  expect([missing.status, missing.body]).toEqual([
    422,
    { error: 'Validation failed', details: { current_password: 'Current password is required' } },
  ]);
  const guesses = [];
  for (let guess = 0; guess < 6; guess += 1) guesses.push(await askForTotp(tenant, 'wrong'));
  expect(guesses.map(({ status }) => status)).toEqual([422, 422, 422, 422, 422, 429]);
  expect(guesses[0]?.body).toEqual({
    error: 'Validation failed',
    details: { current_password: 'Current password is wrong' },
  });
  await panel.clock.advance(1_000);
  const { secret } = await enableTotp(panel, tenant);
  await mailbox.receive(tenant.account.email, /codes are on/);
  const body = { current_password: tenant.account.password, code: await nextCode(panel, secret) };
  expect((await tenant.rest('/api/auth/totp/disable', { body })).status).toBe(200);
  await mailbox.receive(tenant.account.email, /codes are off/);
});

test("an owner or admin resets a member's: the member signs in with the password, is told, and old sessions end", async () => {
  const tenant = await (await panel.world.tenant()).grantPlan('PRO');
  const [admin, member] = [await join(tenant, 'ADMIN'), await join(tenant, 'VIEWER')];
  await withLostCodes(member.id);
  expect(await signIn(member.email)).toMatchObject({ totp_required: true });
  for (const [guess, sentence] of [
    ['a guess', 'Current password is wrong'],
    ['', 'Current password is required'],
  ]) {
    expect(refusal(await reset(admin.token, member.id, { currentPassword: guess }))).toEqual({
      code: 'VALIDATION_FAILED',
      details: { 'input.currentPassword': sentence },
    });
  }
  const done = { resetSecondFactor: { userId: member.id, totpEnabled: false } };
  expect(dataOf(await reset(admin.token, member.id))).toEqual(done);
  await mailbox.receive(member.email, /were reset/);
  expect(await signIn(member.email)).toMatchObject({ access_token: expect.any(String) });
  expect((await panel.world.rest('/api/auth/me', { token: member.token })).status).toBe(401);
  expect(await entryOf(tenant, 'resetSecondFactor')).toMatchObject({
    actor: admin.id,
    target: member.id,
    details: { changes: { totpEnabled: false }, input: { input: { currentPassword: '[redacted]' } } },
  });
  const before = mailbox.mails.length;
  expect(dataOf(await reset(tenant.token, member.id))).toEqual(done);
  expect(await signIn(member.email)).toMatchObject({ access_token: expect.any(String) });
  expect(mailbox.mails.slice(before).filter(({ subject }) => /were reset/.test(subject))).toEqual([]);

  // An owner's, and that of whoever may do more, is beyond them; so is their own.
  expect(refusal(await reset(admin.token, tenant.user.id))).toEqual(standing);
  const second = await join(tenant, 'OWNER');
  expect(refusal(await reset(second.token, tenant.user.id))).toEqual(standing);
  expect(refusal(await reset(admin.token, admin.id))).toEqual({ code: 'CONFLICT', reason: 'OWN_ACCOUNT' });
  await panel.sql('update identity."user" set is_administrator = true where id = $1', [admin.id]);
  expect(refusal(await reset(tenant.token, admin.id))).toEqual(standing);
  await panel.sql('update identity."user" set is_administrator = false where id = $1', [admin.id]);
});

test("a platform administrator resets an owner's, in any tenant, and several resets are slowed down", async () => {
  const tenant = await panel.world.tenant();
  const token = await panel.world.administrator();
  const across = { tenantId: tenant.id, currentPassword: 'administrator-password' };
  const answers = [];
  for (let times = 0; times < 4; times += 1) {
    await withLostCodes(tenant.user.id);
    answers.push(await reset(token, tenant.user.id, across));
  }
  expect(answers.slice(0, 3).map((answer) => dataOf(answer).resetSecondFactor)).toEqual(
    Array.from({ length: 3 }, () => ({ userId: tenant.user.id, totpEnabled: false })),
  );
  expect(refusal(answers[3]!)['code']).toBe('RATE_LIMITED');
});

test('who may not, is not found or refused', async () => {
  const [tenant, other] = [await panel.world.tenant(), await panel.world.tenant()];
  const member = await join(tenant, 'OPERATOR');
  const missing = { code: 'FORBIDDEN', reason: 'PERMISSION_MISSING' };
  expect([
    refusal(await reset(undefined, member.id)),
    refusal(await reset(member.token, tenant.user.id)),
    refusal(await reset(other.token, member.id)),
    refusal(await reset(other.token, member.id, { tenantId: tenant.id })),
    refusal(await reset(tenant.token, 'usr_nobody')),
  ]).toEqual([
    { code: 'UNAUTHENTICATED' },
    missing,
    { code: 'NOT_FOUND' },
    { code: 'NOT_FOUND' },
    { code: 'NOT_FOUND' },
  ]);
});

test("an owner or admin ends a member's sessions: their tokens are refused, they are told, and sign in anew", async () => {
  const tenant = await (await panel.world.tenant()).grantPlan('PRO');
  const [admin, member] = [await join(tenant, 'ADMIN'), await join(tenant, 'VIEWER')];
  // How many recovery codes somebody has is for nobody else to know.
  await withLostCodes(member.id);
  const done = { endMemberSessions: { id: member.id, recoveryCodesLeft: null } };
  expect(dataOf(await endSessions(admin.token, member.id, null))).toEqual(done);
  expect((await panel.world.rest('/api/auth/me', { token: member.token })).status).toBe(401);
  await mailbox.receive(member.email, /sessions were ended/);
  expect(await entryOf(tenant, 'endMemberSessions')).toMatchObject({ actor: admin.id, target: member.id });
  await panel.sql('update identity."user" set totp_confirmed_at = null where id = $1', [member.id]);
  const before = mailbox.mails.length;
  expect(dataOf(await endSessions(tenant.token, member.id))).toEqual(done);
  expect(await signIn(member.email)).toMatchObject({ access_token: expect.any(String) });
  expect(mailbox.mails.slice(before).filter(({ to }) => to === member.email)).toEqual([]);
});

test("an owner's sessions are ended by another owner, with the password; others' by nobody who may not manage them", async () => {
  const [tenant, other] = [await (await panel.world.tenant()).grantPlan('PRO'), await panel.world.tenant()];
  const [second, admin] = [await join(tenant, 'OWNER'), await join(tenant, 'ADMIN')];
  const operator = await join(tenant, 'OPERATOR');
  const wrong = (sentence: string) => ({
    code: 'VALIDATION_FAILED',
    details: { currentPassword: sentence },
  });
  expect([
    refusal(await endSessions(tenant.token, second.id, null)),
    refusal(await endSessions(tenant.token, second.id, 'a guess')),
    refusal(await endSessions(admin.token, second.id)),
    refusal(await endSessions(admin.token, admin.id)),
    refusal(await endSessions(operator.token, admin.id)),
    refusal(await endSessions(other.token, admin.id)),
    refusal(await endSessions(undefined, admin.id)),
  ]).toEqual([
    wrong('Current password is required'),
    wrong('Current password is wrong'),
    { code: 'FORBIDDEN', reason: 'OWNER_REQUIRED' },
    { code: 'CONFLICT', reason: 'OWN_ACCOUNT' },
    { code: 'FORBIDDEN', reason: 'PERMISSION_MISSING' },
    { code: 'NOT_FOUND' },
    { code: 'UNAUTHENTICATED' },
  ]);
  dataOf(await endSessions(tenant.token, second.id));
  expect((await panel.world.rest('/api/auth/me', { token: second.token })).status).toBe(401);
});
