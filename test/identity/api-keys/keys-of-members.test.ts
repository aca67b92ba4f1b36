import { randomUUID } from 'node:crypto';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { dataOf } from '../../support/answers.js';
import { startTestPanel, type TestPanel } from '../../support/panel.js';
import { until, type Tenant } from '../../support/world.js';
import { Mailbox } from '../support/mailbox.js';

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

async function adminOf(tenant: Tenant): Promise<{ accessToken: string; user: { id: string } }> {
  const email = `${randomUUID()}@example.com`;
  const invite = 'mutation($input: InviteMemberInput!) { inviteMember(input: $input) { id } }';
  dataOf(await tenant.graphql(invite, { input: { email, role: 'ADMIN' } }));
  const answer = await panel.world.graphql<{
    acceptInvitation: { accessToken: string; user: { id: string } };
  }>(
    `mutation($input: AcceptInvitationInput!) { acceptInvitation(input: $input) { accessToken user { id } } }`,
    {
      input: { token: await mailbox.token(email, /Join/), name: 'Admin', password: 'correct horse battery' },
    },
  );
  return dataOf(answer).acceptInvitation;
}

const keyOf = async (token: string, ...permissions: string[]) => {
  const answer = await panel.world.graphql<{ createApiKey: { key: string } }>(
    'mutation($input: CreateApiKeyInput!) { createApiKey(input: $input) { key } }',
    { input: { name: 'door', permissions, currentPassword: 'correct horse battery' } },
    token,
  );
  return dataOf(answer).createApiKey.key;
};
const usable = async (key: string) =>
  (await panel.world.rest('/api/fleet/instances', { token: key })).status === 200;

test.concurrent('with a member go the API keys that they made', async () => {
  const tenant = await (await panel.world.tenant()).grantPlan('PRO');
  const admin = await adminOf(tenant);
  const [theirs, other] = [
    await keyOf(admin.accessToken, 'fleet.instance.read'),
    await keyOf(tenant.token, 'fleet.instance.read'),
  ];
  expect([await usable(theirs), await usable(other)]).toEqual([true, true]);
  dataOf(await tenant.graphql('mutation($id: ID!) { removeMember(id: $id) { id } }', { id: admin.user.id }));
  await until(async () => !(await usable(theirs)), 'the key to end', 3_000);
  expect(await usable(other)).toBe(true);
});

test.concurrent('with a role go the API keys that may do more than the next one', async () => {
  const tenant = await (await panel.world.tenant()).grantPlan('PRO');
  const admin = await adminOf(tenant);
  const [reads, audits] = [
    await keyOf(admin.accessToken, 'fleet.instance.read'),
    await keyOf(admin.accessToken, 'fleet.instance.read', 'identity.audit.read'),
  ];
  expect([await usable(reads), await usable(audits)]).toEqual([true, true]);
  dataOf(
    await tenant.graphql(
      'mutation($input: ChangeMemberRoleInput!) { changeMemberRole(input: $input) { id } }',
      {
        input: { userId: admin.user.id, role: 'VIEWER' },
      },
    ),
  );
  await until(async () => !(await usable(audits)), 'the key to end', 3_000);
  expect(await usable(reads)).toBe(true);
});
