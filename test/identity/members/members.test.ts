import { randomUUID } from 'node:crypto';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { dataOf, refusal } from '../../support/answers.js';
import { startTestPanel, type TestPanel } from '../../support/panel.js';
import { tokenInRole } from '../../support/roles.js';
import { until, type Tenant } from '../../support/world.js';
import { entryOf } from '../audit/support.js';
import { Mailbox } from '../support/mailbox.js';

const day = 24 * 60 * 60 * 1000;
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

const someone = () => `${randomUUID()}@example.com`;
const password = 'correct horse battery';

// What is done to owners asks for the password of whoever does it.
const invite = async (
  token: string | undefined,
  email: string,
  role = 'OPERATOR',
  currentPassword: string | null = password,
) =>
  panel.world.graphql<{ inviteMember: { id: string; email: string; role: string } }>(
    'mutation($input: InviteMemberInput!) { inviteMember(input: $input) { id email role expiresAt acceptedAt revokedAt } }',
    { input: { email, role, currentPassword } },
    token,
  );

interface Joined {
  accessToken: string;
  user: { id: string; email: string; role: string; tenant: { id: string } };
}

const accept = async (link: string, more: Record<string, unknown> = {}) =>
  panel.world.graphql<{ acceptInvitation: Joined }>(
    `mutation($input: AcceptInvitationInput!) {
      acceptInvitation(input: $input) { accessToken user { id email role emailVerified tenant { id } } }
    }`,
    { input: { token: link, name: 'Someone', password, ...more } },
  );

const changeRole = async (
  token: string,
  userId: string,
  role: string,
  currentPassword: string | null = password,
) =>
  panel.world.graphql(
    'mutation($input: ChangeMemberRoleInput!) { changeMemberRole(input: $input) { id role } }',
    { input: { userId, role, currentPassword } },
    token,
  );

const remove = async (token: string, id: string, currentPassword: string | null = password) =>
  panel.world.graphql(
    'mutation($id: ID!, $currentPassword: String) { removeMember(id: $id, currentPassword: $currentPassword) { id email } }',
    { id, currentPassword },
    token,
  );

async function join(tenant: Tenant, role: string): Promise<Joined & { email: string }> {
  const email = someone();
  dataOf(await invite(tenant.token, email, role));
  const link = await mailbox.token(email, /Join/);
  return { ...dataOf(await accept(link)).acceptInvitation, email };
}

async function membersOf(tenant: Tenant): Promise<string[]> {
  const { data } = await tenant.graphql<{ members: { nodes: { role: string }[] } }>(
    '{ members { nodes { role } } }',
  );
  return data!.members.nodes.map(({ role }) => role);
}

const me = async (token: string) => panel.world.graphql('{ me { role } }', {}, token);

test.concurrent('someone who was invited by mail makes an account in the tenant, once', async () => {
  const tenant = await panel.world.tenant('Acme <b>\r\nBcc: x');
  const email = someone();
  const answer = dataOf(await invite(tenant.token, email)).inviteMember;
  expect(answer).toEqual({
    id: expect.stringMatching(/^inv_/),
    email,
    role: 'OPERATOR',
    expiresAt: new Date(panel.clock.now().getTime() + 7 * day).toISOString(),
    acceptedAt: null,
    revokedAt: null,
  });
  const link = await mailbox.token(email, /Join/);
  const joined = dataOf(await accept(link)).acceptInvitation;
  expect(joined.user).toEqual({
    id: expect.stringMatching(/^usr_/),
    email,
    role: 'OPERATOR',
    emailVerified: true,
    tenant: { id: tenant.id },
  });
  expect(dataOf(await me(joined.accessToken))).toEqual({ me: { role: 'OPERATOR' } });
  expect((await panel.world.login(email, password)).status).toBe(200);
  expect(refusal(await accept(link))).toEqual({ code: 'UNAUTHENTICATED', reason: 'INVITATION_INVALID' });
  expect(await membersOf(tenant)).toEqual(['OWNER', 'OPERATOR']);
  expect(await entryOf(tenant, 'acceptInvitation')).toMatchObject({
    actor: joined.user.id,
    target: joined.user.id,
  });
});

test.concurrent('inviting again renews the link, and the one before it ends', async () => {
  const tenant = await panel.world.tenant();
  const email = someone();
  const shouted = email.replace(/^[^@]+/, (local) => local.toUpperCase());
  const first = dataOf(await invite(tenant.token, email, 'VIEWER')).inviteMember;
  const old = await mailbox.token(email, /Join/);
  const second = dataOf(await invite(tenant.token, shouted, 'ADMIN')).inviteMember;
  const link = await mailbox.token(shouted, /Join/);
  expect([second.id, second.role]).toEqual([first.id, 'ADMIN']);
  expect(refusal(await accept(old))).toMatchObject({ reason: 'INVITATION_INVALID' });
  expect(dataOf(await accept(link)).acceptInvitation.user.role).toBe('ADMIN');
});

test.concurrent('an invitation ends after 7 days, or when it is taken back', async () => {
  const [one, other] = [await panel.world.tenant(), await panel.world.tenant()];
  const email = someone();
  const { id } = dataOf(await invite(one.token, email)).inviteMember;
  const link = await mailbox.token(email, /Join/);
  const revoke = 'mutation($id: ID!) { revokeInvitation(id: $id) { id } }';
  expect(refusal(await other.graphql(revoke, { id }))).toEqual({ code: 'NOT_FOUND' });
  for (let times = 0; times < 2; times += 1) {
    expect(dataOf(await one.graphql(revoke, { id }))).toEqual({ revokeInvitation: { id } });
  }
  expect(refusal(await accept(link))).toMatchObject({ reason: 'INVITATION_INVALID' });
  expect(refusal(await accept('nonsense'))).toMatchObject({ reason: 'INVITATION_INVALID' });
  const late = someone();
  dataOf(await invite(one.token, late));
  const lateLink = await mailbox.token(late, /Join/);
  await panel.sql(`update identity.invitation set expires_at = $1 where email = $2`, [
    panel.clock.now(),
    late,
  ]);
  expect(refusal(await accept(lateLink))).toMatchObject({ reason: 'INVITATION_INVALID' });
});

test.concurrent('bad input is refused with the field named', async () => {
  const tenant = await panel.world.tenant();
  expect(refusal(await invite(tenant.token, 'nobody'))).toEqual({
    code: 'VALIDATION_FAILED',
    details: { 'input.email': 'Email must be an e-mail address' },
  });
  expect(refusal(await accept('x', { password: 'short', name: ' ' }))).toEqual({
    code: 'VALIDATION_FAILED',
    details: { 'input.password': expect.any(String), 'input.name': 'Name is required' },
  });
  expect(refusal(await invite(tenant.token, tenant.account.email))).toEqual({
    code: 'CONFLICT',
    reason: 'ALREADY_MEMBER',
  });
});

test.concurrent('someone with an account elsewhere can be invited, and is told when they accept', async () => {
  const [tenant, other] = [await panel.world.tenant(), await panel.world.tenant()];
  dataOf(await invite(tenant.token, other.account.email));
  const link = await mailbox.token(other.account.email, /Join/);
  expect(refusal(await accept(link))).toEqual({ code: 'CONFLICT', reason: 'EMAIL_TAKEN' });
  expect(await membersOf(tenant)).toEqual(['OWNER']);
});

test.concurrent('no more users than the plan allows, however they come', async () => {
  const tenant = await panel.world.tenant();
  const emails = [someone(), someone(), someone(), someone(), someone()];
  const answers = await Promise.all(emails.map(async (email) => invite(tenant.token, email)));
  const refused = answers.filter(({ errors }) => errors).map((answer) => refusal(answer));
  expect(refused).toHaveLength(3);
  expect(refused[0]).toEqual({
    code: 'LIMIT_REACHED',
    reason: 'USERS_LIMIT',
    details: { limit: 3, used: 3, plan: 'pro' },
  });
  // A smaller plan than at the time of the invitations: those who come first get in.
  await panel.sql(`insert into identity.entitlement values ($1, 1, 'FREE', '{}', '{"users": 2}')`, [
    tenant.id,
  ]);
  const invited = answers.flatMap(({ data }) => (data ? [data.inviteMember.email] : []));
  const links = await Promise.all(invited.map(async (email) => mailbox.token(email, /Join/)));
  const accepted = await Promise.all(links.map(async (link) => accept(link)));
  expect(accepted.filter(({ errors }) => !errors)).toHaveLength(1);
  expect(refusal(accepted.find(({ errors }) => errors)!)).toMatchObject({ code: 'LIMIT_REACHED' });
  expect(await membersOf(tenant)).toHaveLength(2);
});

test.concurrent('a new role holds at once, as the sessions of the former one end', async () => {
  const tenant = await panel.world.tenant();
  const member = await join(tenant, 'VIEWER');
  expect(dataOf(await changeRole(tenant.token, member.user.id, 'ADMIN'))).toEqual({
    changeMemberRole: { id: member.user.id, role: 'ADMIN' },
  });
  expect(refusal(await me(member.accessToken))).toEqual({ code: 'UNAUTHENTICATED', reason: 'TOKEN_REVOKED' });
  const again = (await panel.world.login(member.email, password)).body.access_token;
  expect(dataOf(await me(again))).toEqual({ me: { role: 'ADMIN' } });
  dataOf(await changeRole(tenant.token, member.user.id, 'ADMIN'));
  expect(dataOf(await me(again))).toEqual({ me: { role: 'ADMIN' } });
  expect((await entryOf(tenant, 'changeMemberRole')).target).toBe(member.user.id);
});

test.concurrent('a removed member is out within the same second, also for a panel that starts later', async () => {
  const tenant = await panel.world.tenant();
  const member = await join(tenant, 'OPERATOR');
  expect(dataOf(await remove(tenant.token, member.user.id))).toEqual({
    removeMember: { id: member.user.id, email: member.email },
  });
  expect(refusal(await me(member.accessToken))).toEqual({ code: 'UNAUTHENTICATED', reason: 'TOKEN_REVOKED' });
  expect((await panel.world.login(member.email, password)).status).toBe(401);
  expect(refusal(await remove(tenant.token, member.user.id))).toEqual({ code: 'NOT_FOUND' });
  expect(await membersOf(tenant)).toEqual(['OWNER']);
  const kept = await panel.sql('select 1 from identity.removed_session where tenant_id = $1', [tenant.id]);
  expect(kept).toHaveLength(1);
});

test.concurrent('the last owner can be neither removed nor made something else, also by two at once', async () => {
  const tenant = await panel.world.tenant();
  const last = { code: 'CONFLICT', reason: 'LAST_OWNER' };
  expect(refusal(await remove(tenant.token, tenant.user.id))).toEqual(last);
  expect(refusal(await changeRole(tenant.token, tenant.user.id, 'ADMIN'))).toEqual(last);
  const second = await join(tenant, 'OWNER');
  const answers = await Promise.all([
    changeRole(tenant.token, second.user.id, 'ADMIN'),
    changeRole(second.accessToken, tenant.user.id, 'ADMIN'),
  ]);
  const owners = await panel.sql(`select 1 from identity."user" where tenant_id = $1 and role = 'OWNER'`, [
    tenant.id,
  ]);
  expect(owners).toHaveLength(1);
  expect(answers.filter(({ errors }) => errors)).toHaveLength(1);
});

test.concurrent('only owners touch owners; admins manage the rest, others nobody', async () => {
  const tenant = await (await panel.world.tenant()).grantPlan('PRO');
  const [admin, operator] = [await join(tenant, 'ADMIN'), await join(tenant, 'OPERATOR')];
  const owners = { code: 'FORBIDDEN', reason: 'OWNER_REQUIRED' };
  expect([
    refusal(await invite(admin.accessToken, someone(), 'OWNER')),
    refusal(await changeRole(admin.accessToken, tenant.user.id, 'VIEWER')),
    refusal(await changeRole(admin.accessToken, admin.user.id, 'OWNER')),
    refusal(await remove(admin.accessToken, tenant.user.id)),
  ]).toEqual([owners, owners, owners, owners]);
  const missing = { code: 'FORBIDDEN', reason: 'PERMISSION_MISSING' };
  expect([
    refusal(await invite(operator.accessToken, someone())),
    refusal(await changeRole(operator.accessToken, operator.user.id, 'ADMIN')),
    refusal(await remove(operator.accessToken, admin.user.id)),
  ]).toEqual([missing, missing, missing]);
  expect(refusal(await invite(undefined, someone()))).toEqual({ code: 'UNAUTHENTICATED' });
  dataOf(await remove(admin.accessToken, operator.user.id));
});

test.concurrent('a stolen token makes, unmakes, invites and removes no owner: each asks for the password', async () => {
  const tenant = await (await panel.world.tenant()).grantPlan('PRO');
  const [second, member] = [await join(tenant, 'OWNER'), await join(tenant, 'VIEWER')];
  const attempts = async (guess: string | null) => [
    refusal(await invite(tenant.token, someone(), 'OWNER', guess)),
    refusal(await changeRole(tenant.token, member.user.id, 'OWNER', guess)),
    refusal(await changeRole(tenant.token, second.user.id, 'VIEWER', guess)),
    refusal(await remove(tenant.token, second.user.id, guess)),
  ];
  const at = (sentence: string) => {
    const details = (path: string) => ({ code: 'VALIDATION_FAILED', details: { [path]: sentence } });
    const [input, argument] = [details('input.currentPassword'), details('currentPassword')];
    return [input, input, input, argument];
  };
  expect(await attempts(null)).toEqual(at('Current password is required'));
  expect(await attempts('a guess')).toEqual(at('Current password is wrong'));
  expect((await membersOf(tenant)).toSorted()).toEqual(['OWNER', 'OWNER', 'VIEWER']);
  dataOf(await invite(tenant.token, someone(), 'VIEWER', null));
  dataOf(await changeRole(tenant.token, member.user.id, 'OPERATOR', null));
  dataOf(await remove(tenant.token, member.user.id, null));
});

test.concurrent('an admin can not take the invitation of an owner away by inviting them as less', async () => {
  const tenant = await (await panel.world.tenant()).grantPlan('PRO');
  const admin = await join(tenant, 'ADMIN');
  const email = someone();
  dataOf(await invite(tenant.token, email, 'OWNER'));
  const link = await mailbox.token(email, /Join/);
  expect(refusal(await invite(admin.accessToken, email, 'VIEWER'))).toEqual({
    code: 'FORBIDDEN',
    reason: 'OWNER_REQUIRED',
  });
  expect(dataOf(await accept(link)).acceptInvitation.user.role).toBe('OWNER');
});

test.concurrent("another tenant's members are not found, and its list is its own", async () => {
  const [mine, other] = [await panel.world.tenant(), await panel.world.tenant()];
  expect(refusal(await changeRole(mine.token, other.user.id, 'VIEWER'))).toEqual({ code: 'NOT_FOUND' });
  expect(refusal(await remove(mine.token, other.user.id))).toEqual({ code: 'NOT_FOUND' });
  const viewer = await tokenInRole(panel, other, 'VIEWER');
  const answer = await panel.world.graphql('{ members { nodes { id } totalCount } }', {}, viewer);
  expect(dataOf(answer)).toEqual({ members: { nodes: [{ id: other.user.id }], totalCount: 1 } });
  expect(refusal(await panel.world.graphql('{ invitations { totalCount } }', {}, viewer))).toMatchObject({
    code: 'FORBIDDEN',
  });
});

test.concurrent('a platform administrator is not removed along with a tenant', async () => {
  const answer = await panel.world.login('admin@panel.test', 'administrator-password');
  const admin = answer.body.user;
  const email = someone();
  dataOf(await invite(answer.body.access_token, email, 'OWNER', 'administrator-password'));
  const owner = dataOf(await accept(await mailbox.token(email, /Join/))).acceptInvitation;
  expect(refusal(await remove(owner.accessToken, admin.id))).toEqual({
    code: 'CONFLICT',
    reason: 'ADMINISTRATOR',
  });
  await until(
    async () => (await me(answer.body.access_token)).data !== null,
    'the administrator to be as before',
  );
});
