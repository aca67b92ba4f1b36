import { randomUUID } from 'node:crypto';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { dataOf, refusal } from '../../support/answers.js';
import { startTestPanel, type TestPanel } from '../../support/panel.js';
import type { Tenant } from '../../support/world.js';
import { Mailbox } from '../support/mailbox.js';
import { enableTotp } from '../support/totp.js';

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

const newPassword = 'what the owner chose';

/** All by which somebody could go on acting in an account, or keep others out. */
async function settleIn(tenant: Tenant): Promise<{ key: string; invitation: string }> {
  await enableTotp(panel, tenant);
  const input = {
    name: 'key',
    permissions: ['identity.tenant.read'],
    currentPassword: tenant.account.password,
  };
  const made = await tenant.graphql<{ createApiKey: { key: string } }>(
    'mutation($input: CreateApiKeyInput!) { createApiKey(input: $input) { key } }',
    { input },
  );
  const email = `${randomUUID()}@example.com`;
  await tenant.graphql('mutation($input: InviteMemberInput!) { inviteMember(input: $input) { id } }', {
    input: { email, role: 'OWNER', currentPassword: tenant.account.password },
  });
  return { key: dataOf(made).createApiKey.key, invitation: await mailbox.token(email, /Join/) };
}

async function resetPassword({ account: { email } }: Tenant): Promise<void> {
  await panel.world.rest('/api/auth/password/forgot', { body: { email } });
  const token = await mailbox.token(email, /new password/);
  const body = { token, new_password: newPassword };
  expect((await panel.world.rest('/api/auth/password/reset', { body })).status).toBe(204);
}

const signIn = async ({ account: { email } }: Tenant) =>
  (await panel.world.rest('/api/auth/login', { body: { email, password: newPassword } })).body;
const reads = async (key: string) => panel.world.graphql('{ tenant { id } }', {}, key);

test('whoever proves an address that a stranger had registered has the account for themselves', async () => {
  const tenant = await panel.world.tenant();
  const { key, invitation } = await settleIn(tenant);
  expect((await reads(key)).errors).toBeUndefined();
  await resetPassword(tenant);
  expect(await signIn(tenant)).toMatchObject({ access_token: expect.any(String) });
  expect(refusal(await reads(key))).toMatchObject({ code: 'UNAUTHENTICATED' });
  const accepted = await panel.world.graphql(
    'mutation($input: AcceptInvitationInput!) { acceptInvitation(input: $input) { expiresIn } }',
    { input: { token: invitation, name: 'Accomplice', password: newPassword } },
  );
  expect(refusal(accepted)).toMatchObject({ reason: 'INVITATION_INVALID' });
  await mailbox.receive(tenant.account.email, /One-time codes are off/);
});

test('an account whose address was proved before keeps one-time codes and keys when its password is reset', async () => {
  const tenant = await panel.world.tenant();
  const token = await mailbox.token(tenant.account.email, /Confirm/);
  const verifyEmail = 'mutation($token: String!) { verifyEmail(input: { token: $token }) { emailVerified } }';
  dataOf(await panel.world.graphql(verifyEmail, { token }));
  const { key } = await settleIn(tenant);
  await resetPassword(tenant);
  expect(await signIn(tenant)).toMatchObject({ totp_required: true });
  expect((await reads(key)).errors).toBeUndefined();
});
