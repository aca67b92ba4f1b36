import { randomUUID } from 'node:crypto';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { dataOf, refusal } from '../../support/answers.js';
import { startTestPanel, type TestPanel } from '../../support/panel.js';
import type { Tenant } from '../../support/world.js';
import { Mailbox } from '../support/mailbox.js';
import { giveRole, member, remove } from '../support/member.js';

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

const password = 'correct horse battery';

/** The link of an invitation. */
async function invite(token: string, role: string, email = `${randomUUID()}@example.com`): Promise<string> {
  const mutation = 'mutation($input: InviteMemberInput!) { inviteMember(input: $input) { id } }';
  dataOf(await panel.world.graphql(mutation, { input: { email, role, currentPassword: password } }, token));
  return mailbox.token(email, /Join/);
}

const accept = async (token: string) =>
  panel.world.graphql<{ acceptInvitation: { user: { role: string } } }>(
    'mutation($input: AcceptInvitationInput!) { acceptInvitation(input: $input) { user { role } } }',
    { input: { token, name: 'Someone', password } },
  );

test('invitations are listed by whether they can be accepted', async () => {
  const tenant = await (await panel.world.tenant()).grantPlan('PRO');
  const [joined, expired, open] = [1, 2, 3].map(() => `${randomUUID()}@example.com`);
  dataOf(await accept(await invite(tenant.token, 'VIEWER', joined)));
  await invite(tenant.token, 'VIEWER', expired);
  await invite(tenant.token, 'VIEWER', open);
  await panel.sql('update identity.invitation set expires_at = $2 where email = $1', [
    expired,
    panel.clock.now(),
  ]);
  const list = async (isOpen: boolean) =>
    dataOf(
      await tenant.graphql<{ invitations: { totalCount: number; nodes: { email: string }[] } }>(
        'query ($isOpen: Boolean) { invitations(filter: { isOpen: $isOpen }) { totalCount nodes { email } } }',
        { isOpen },
      ),
    ).invitations;
  expect(await list(true)).toEqual({ totalCount: 1, nodes: [{ email: open }] });
  expect(await list(false)).toEqual({ totalCount: 2, nodes: [{ email: joined }, { email: expired }] });
});

test('open invitations end with whoever sent them last, as far as their role no longer reaches', async () => {
  const tenant = await (await panel.world.tenant()).grantPlan('PRO');
  const second = await member(tenant, mailbox, 'OWNER');
  const renewed = `${randomUUID()}@example.com`;
  const ofOwner = await invite(second.accessToken, 'OWNER');
  const ofAdmin = await invite(second.accessToken, 'ADMIN');
  const ofViewer = await invite(second.accessToken, 'VIEWER');
  await invite(second.accessToken, 'OPERATOR', renewed);
  const ended = { code: 'UNAUTHENTICATED', reason: 'INVITATION_INVALID' };

  await giveRole(tenant, second.user.id, 'ADMIN');
  expect(refusal(await accept(ofOwner))).toEqual(ended);
  expect(dataOf(await accept(ofAdmin)).acceptInvitation.user.role).toBe('ADMIN');

  const again = await invite(tenant.token, 'OPERATOR', renewed);
  await remove(tenant, second.user.id);
  expect(refusal(await accept(ofViewer))).toEqual(ended);
  expect(dataOf(await accept(again)).acceptInvitation.user.role).toBe('OPERATOR');
});

test('members are found by their ids and by what is in their name or address, invitations by their id', async () => {
  const [tenant, stranger] = [await panel.world.tenant(), await panel.world.tenant()];
  const { user } = await member(tenant, mailbox, 'VIEWER');
  const found = async (filter: object, by = tenant) =>
    by.graphql<{ members: { nodes: { id: string }[]; totalCount: number } }>(
      'query($filter: MemberFilter) { members(filter: $filter) { nodes { id } totalCount } }',
      { filter },
    );
  const [, { email }] = dataOf(
    await tenant.graphql<{ members: { nodes: [unknown, { email: string }] } }>(
      '{ members { nodes { email } } }',
    ),
  ).members.nodes;
  const one = { members: { nodes: [{ id: user.id }], totalCount: 1 } };
  const none = { members: { nodes: [], totalCount: 0 } };
  expect(dataOf(await found({ ids: [user.id, stranger.user.id] }))).toEqual(one);
  expect(dataOf(await found({ search: 'ADMI' }))).toEqual(one);
  expect(dataOf(await found({ search: email.slice(3, 20).toUpperCase() }))).toEqual(one);
  expect(dataOf(await found({ ids: [tenant.user.id], search: 'admin' }))).toEqual(none);
  expect(dataOf(await found({ search: '_' }))).toEqual(none);
  expect(dataOf(await found({ ids: [] }))).toEqual(none);
  expect(dataOf(await found({}))).toMatchObject({ members: { totalCount: 2 } });
  expect(dataOf(await found({ ids: [user.id] }, stranger))).toEqual(none);
  expect(refusal(await found({ ids: Array.from({ length: 501 }, () => user.id) }))).toEqual({
    code: 'VALIDATION_FAILED',
    details: { 'filter.ids': 'There may be at most 500 ids' },
  });
  const mutation = 'mutation($input: InviteMemberInput!) { inviteMember(input: $input) { id } }';
  const input = { email: `${randomUUID()}@example.com`, role: 'OPERATOR' };
  const { id } = dataOf(
    await tenant.graphql<{ inviteMember: { id: string } }>(mutation, { input }),
  ).inviteMember;
  const invitation = async (by: Tenant) =>
    by.graphql('query($id: ID!) { invitation(id: $id) { id role } }', { id });
  expect(dataOf(await invitation(tenant))).toEqual({ invitation: { id, role: 'OPERATOR' } });
  expect(refusal(await invitation(stranger))).toEqual({ code: 'NOT_FOUND' });
});
