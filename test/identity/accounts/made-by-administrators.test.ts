import { randomUUID } from 'node:crypto';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { dataOf, refusal } from '../../support/answers.js';
import { startTestPanel, type TestPanel } from '../../support/panel.js';
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

const create = async (input: object, token: string) =>
  panel.world.graphql<{ createTenant: { id: string; name: string; plan: string } }>(
    'mutation($input: CreateTenantInput!) { createTenant(input: $input) { id name plan } }',
    { input },
    token,
  );
const accept = async (token: string) =>
  panel.world.graphql<{ acceptInvitation: { user: { role: string; tenant: { id: string } } } }>(
    `mutation($input: AcceptInvitationInput!) {
      acceptInvitation(input: $input) { user { role tenant { id } } }
    }`,
    { input: { token, name: 'Owner', password: 'correct horse battery' } },
  );

test('an organization that an administrator makes is joined by the owner whom it invites; made again before that it is the same, and invites again', async () => {
  const administrator = await panel.world.administrator();
  const input = { name: 'Made Ltd', ownerEmail: `${randomUUID()}@made.example` };
  const { createTenant: made } = dataOf(await create(input, administrator));
  expect(made).toEqual({ id: expect.stringMatching(/^org_/), name: 'Made Ltd', plan: 'FREE' });
  const first = await mailbox.token(input.ownerEmail, /Join Made Ltd/);
  expect(dataOf(await create(input, administrator)).createTenant).toEqual(made);
  const second = await mailbox.token(input.ownerEmail, /Join Made Ltd/);
  const ended = { code: 'UNAUTHENTICATED', reason: 'INVITATION_INVALID' };
  expect(refusal(await accept(first))).toEqual(ended);
  const { user } = dataOf(await accept(second)).acceptInvitation;
  expect(user).toEqual({ role: 'OWNER', tenant: { id: made.id } });
  expect(refusal(await create(input, administrator))).toEqual({ code: 'CONFLICT', reason: 'EMAIL_TAKEN' });
  const entries = async () =>
    panel.sql(
      `select actor_kind from identity.audit_event where tenant_id = $1 and action = 'createTenant'`,
      [made.id],
    );
  await expect.poll(entries, { timeout: 20_000 }).toEqual([{ actor_kind: 'user' }, { actor_kind: 'user' }]);
});

test('one that was closed before anybody joined is made anew, and its owner can join that', async () => {
  const administrator = await panel.world.administrator();
  const input = { name: 'Again Ltd', ownerEmail: `${randomUUID()}@made.example` };
  const { createTenant: closed } = dataOf(await create(input, administrator));
  await mailbox.token(input.ownerEmail, /Join Again Ltd/);
  dataOf(
    await panel.world.graphql(
      'mutation($id: ID!, $input: CloseOrganizationInput) { closeTenant(id: $id, input: $input) { id } }',
      { id: closed.id, input: { currentPassword: 'administrator-password' } },
      administrator,
    ),
  );
  const { createTenant: made } = dataOf(await create(input, administrator));
  expect(made.id).not.toBe(closed.id);
  const { user } = dataOf(
    await accept(await mailbox.token(input.ownerEmail, /Join Again Ltd/)),
  ).acceptInvitation;
  expect(user).toEqual({ role: 'OWNER', tenant: { id: made.id } });
});

test('two who make the same organization at once make one, which its owner joins by the newest link', async () => {
  const administrator = await panel.world.administrator();
  const input = { name: 'Twice Ltd', ownerEmail: `${randomUUID()}@made.example` };
  const both = await Promise.all([create(input, administrator), create(input, administrator)]);
  const [one, other] = both.map((answer) => dataOf(answer).createTenant.id);
  expect(one).toBe(other);
  expect(await panel.sql('select id from identity.tenant where name = $1', [input.name])).toEqual([
    { id: one },
  ]);
  const links = [
    await mailbox.token(input.ownerEmail, /Join/),
    await mailbox.token(input.ownerEmail, /Join/),
  ];
  const answers = [await accept(links[0]!), await accept(links[1]!)];
  expect(answers.filter(({ errors }) => !errors)).toHaveLength(1);
});

test('nobody else makes one, nor does anybody without a name or an address', async () => {
  const tenant = await panel.world.tenant();
  const input = { name: 'Made Ltd', ownerEmail: `${randomUUID()}@made.example` };
  expect(refusal(await create(input, tenant.token))).toEqual({
    code: 'FORBIDDEN',
    reason: 'PERMISSION_MISSING',
  });
  const bad = await create({ name: ' ', ownerEmail: 'nobody' }, await panel.world.administrator());
  expect(refusal(bad)).toEqual({
    code: 'VALIDATION_FAILED',
    details: { 'input.name': 'Name is required', 'input.ownerEmail': 'Email must be an e-mail address' },
  });
  expect(mailbox.mails.filter(({ to }) => to === input.ownerEmail)).toEqual([]);
});
