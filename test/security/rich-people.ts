import { randomBytes } from 'node:crypto';

import { dataOf } from '../support/answers.js';
import { until } from '../support/world.js';
import { sha256, type Scene } from './scene.js';

async function ask<Data = Record<string, unknown>>(
  { panel, tenant }: Scene,
  query: string,
  variables: Record<string, unknown>,
  token: string = tenant.token,
): Promise<Data> {
  return dataOf(await panel.world.graphql<Data>(query, variables, token));
}

/** Somebody who was invited, with the token of the link, and somebody who was sent away. */
export async function invitations(scene: Scene): Promise<Record<string, string>> {
  const { panel, tenant, word } = scene;
  const { userId } = await scene.member('viewer', false);
  await ask(scene, 'mutation($id: ID!) { removeMember(id: $id) { id } }', { id: userId });
  const input = { email: `${word}-guest@example.com`, role: 'VIEWER' };
  await ask(scene, 'mutation($input: InviteMemberInput!) { inviteMember(input: $input) { id } }', { input });
  // The mail that has it goes nowhere.
  const token = randomBytes(32).toString('base64url');
  const sql = 'update identity.invitation set token_hash = $1 where tenant_id = $2';
  await panel.sql(sql, [sha256(token), tenant.id]);
  return { 'AcceptInvitationInput.token': token };
}

/** A tenant that this one manages. */
export async function mspClient({ tenant, word }: Scene): Promise<void> {
  const query = 'mutation($input: CreateMspClientInput!) { createMspClient(input: $input) { id } }';
  const input = {
    name: `${word} client`,
    contactEmail: `${word}-client@example.com`,
    instanceLimit: 1,
    plan: 'FREE',
  };
  const isMade = async () => (await tenant.graphql(query, { input })).errors === undefined;
  await until(isMade, 'the plan that includes clients');
}

/** A user who was let into the node, and the token of one who has asked for it and not come yet. */
export async function impersonations(scene: Scene): Promise<Record<string, string>> {
  const mint = async () => {
    const { impersonateInstance } = await ask<{ impersonateInstance: { sessionUrl: string } }>(
      scene,
      'mutation($id: ID!) { impersonateInstance(id: $id, input: { reason: "a test" }) { sessionUrl } }',
      { id: scene.node.id },
    );
    return new URL(impersonateInstance.sessionUrl).searchParams.get('token') ?? '';
  };
  const redeem =
    'mutation($input: RedeemImpersonationInput!) { redeemImpersonation(input: $input) { actor } }';
  await ask(scene, redeem, { input: { token: await mint() } }, scene.node.credential);
  return { 'RedeemImpersonationInput.token': await mint() };
}

/** A link as it would have come by mail. */
export async function mailToken({ panel, tenant }: Scene, purpose: string): Promise<string> {
  const token = randomBytes(32).toString('base64url');
  await panel.sql(
    `insert into identity.mail_token (tenant_id, token_hash, user_id, purpose, email, created_at, expires_at)
     values ($1, $2, $3, $4, $5, $6, $6::timestamptz + interval '1 hour')`,
    [
      tenant.id,
      sha256(token),
      tenant.user.id,
      purpose,
      tenant.account.email,
      panel.clock.now().toISOString(),
    ],
  );
  return token;
}
