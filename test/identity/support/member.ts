import { randomUUID } from 'node:crypto';

import { dataOf } from '../../support/answers.js';
import type { Tenant } from '../../support/world.js';
import type { Mailbox } from './mailbox.js';

/** A member of the tenant beside its owner, in a role, who has accepted the invitation and is signed in. */
export async function member(
  tenant: Tenant,
  mailbox: Mailbox,
  role = 'ADMIN',
): Promise<{ accessToken: string; user: { id: string } }> {
  const email = `${randomUUID()}@example.com`;
  const invite = 'mutation($input: InviteMemberInput!) { inviteMember(input: $input) { id } }';
  dataOf(await tenant.graphql(invite, { input: { email, role, currentPassword: tenant.account.password } }));
  const answer = await tenant.world.graphql<{
    acceptInvitation: { accessToken: string; user: { id: string } };
  }>(
    `mutation($input: AcceptInvitationInput!) { acceptInvitation(input: $input) { accessToken user { id } } }`,
    {
      input: { token: await mailbox.token(email, /Join/), name: 'Admin', password: 'correct horse battery' },
    },
  );
  return dataOf(answer).acceptInvitation;
}

export async function giveRole(tenant: Tenant, userId: string, role: string): Promise<void> {
  dataOf(
    await tenant.graphql(
      'mutation($input: ChangeMemberRoleInput!) { changeMemberRole(input: $input) { id } }',
      { input: { userId, role, currentPassword: tenant.account.password } },
    ),
  );
}

export async function remove(tenant: Tenant, userId: string): Promise<void> {
  dataOf(await tenant.graphql('mutation($id: ID!) { removeMember(id: $id) { id } }', { id: userId }));
}
