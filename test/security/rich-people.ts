import { randomBytes } from 'node:crypto';

import { newId } from '#platform/ids.js';

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

/** A tenant that this one manages, and how its pages look. */
export async function mspClient(scene: Scene): Promise<void> {
  const { tenant, word } = scene;
  const query = 'mutation($input: CreateMspClientInput!) { createMspClient(input: $input) { id } }';
  const input = {
    name: `${word} client`,
    contactEmail: `${word}-client@example.com`,
    instanceLimit: 1,
    plan: 'FREE',
  };
  const isMade = async () => (await tenant.graphql(query, { input })).errors === undefined;
  await until(isMade, 'the plan that includes clients');
  const look = { companyName: `${word} brand`, supportEmail: `${word}-support@example.com` };
  const brand = 'mutation($input: UpdateBrandingInput!) { updateBranding(input: $input) { companyName } }';
  await ask(scene, brand, { input: look });
}

/** The provider turns to somebody else at its client. */
export async function changeClient(scene: Scene): Promise<void> {
  const change =
    'mutation($id: ID!, $input: UpdateMspClientInput!) { updateMspClient(id: $id, input: $input) { id } }';
  const name = `${scene.word} client of now`;
  await ask(scene, change, { id: await clientOf(scene), input: { name } });
}

async function clientOf(scene: Scene): Promise<string> {
  const query = '{ mspClients(first: 1) { nodes { id } } }';
  const { mspClients } = await ask<{ mspClients: { nodes: { id: string }[] } }>(scene, query, {});
  return mspClients.nodes[0]!.id;
}

/** What a client is asked for, as if its provider had asked. */
async function asked(
  { panel, tenant }: Scene,
  of: { client: string; provider: string; reason: string },
): Promise<string> {
  const id = newId('delegationRequest');
  await panel.sql(
    `insert into identity.delegation_request
       (tenant_id, id, provider_id, role, expires_in_hours, reason, requested_by, requested_at, expires_at)
     values ($1, $2, $3, 'VIEWER', 10, $4, $5, $6, $6::timestamptz + interval '7 days')`,
    [of.client, id, of.provider, of.reason, tenant.user.id, panel.clock.now().toISOString()],
  );
  return id;
}

/** Requests for access that were made of the tenant, and one that it has made of its client. */
export async function requests(scene: Scene): Promise<void> {
  const { tenant, word } = scene;
  const client = await clientOf(scene);
  const ofTenant = { client: tenant.id, provider: newId('tenant'), reason: `${word} request` };
  scene.values = {
    ...scene.values,
    'Mutation.approveDelegation.id': await asked(scene, ofTenant),
    'Mutation.declineDelegation.id': await asked(scene, ofTenant),
    // What is asked for again is what it has asked for.
    'Mutation.withdrawDelegationRequest.id': await asked(scene, {
      client,
      provider: tenant.id,
      reason: 'generated',
    }),
    'RequestDelegationInput.clientId': client,
    'RequestDelegationInput.role': 'VIEWER',
  };
}

/** The tenant declines what it was asked for, and takes back what it has asked for, which it is told of at the end. */
export async function answerRequests(scene: Scene): Promise<void> {
  const { panel, tenant, word } = scene;
  const reason = `${word} request`;
  const mine = await asked(scene, { client: tenant.id, provider: newId('tenant'), reason });
  await ask(scene, 'mutation($id: ID!) { declineDelegation(id: $id) { id } }', { id: mine });
  const theirs = await asked(scene, { client: await clientOf(scene), provider: tenant.id, reason });
  await ask(scene, 'mutation($id: ID!) { withdrawDelegationRequest(id: $id) { id } }', { id: theirs });
  const told = `select 1 from identity.outbox where tenant_id = $1 and entity_id = $2
    and topic = 'identity.delegation-request.received'`;
  await until(
    async () => (await panel.sql(told, [tenant.id, theirs])).length > 0,
    'the provider to be told of the request',
    60_000,
  );
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

/** Makes the tenant one that another manages; that one is not there, and need not be. */
export async function manage({ panel, tenant }: Scene): Promise<void> {
  await panel.sql('update identity.tenant set parent_tenant_id = $1 where id = $2', [
    newId('tenant'),
    tenant.id,
  ]);
}

/** Grants access to the provider, in the place of an earlier grant. */
export async function delegate(scene: Scene): Promise<void> {
  const input = { role: 'VIEWER', expiresInHours: 1, reason: `${scene.word} reason` };
  await ask(scene, 'mutation($input: GrantDelegationInput!) { grantDelegation(input: $input) { id } }', {
    input,
  });
}

/** A client of the tenant grants it access, which it has been told of at the end. */
export async function receive({ panel, tenant, word }: Scene): Promise<void> {
  const client = await panel.world.tenant();
  const sql = 'update identity.tenant set parent_tenant_id = $1 where id = $2';
  await panel.sql(sql, [tenant.id, client.id]);
  const input = { role: 'VIEWER', expiresInHours: 1, reason: `${word} received` };
  const { grantDelegation } = dataOf(
    await client.graphql<{ grantDelegation: { id: string } }>(
      'mutation($input: GrantDelegationInput!) { grantDelegation(input: $input) { id } }',
      { input },
    ),
  );
  const told = 'select 1 from identity.outbox where tenant_id = $1 and entity_id = $2';
  await until(
    async () => (await panel.sql(told, [tenant.id, grantDelegation.id])).length > 0,
    'the provider to be told of the grant',
    60_000,
  );
}

/** A key for programs. */
export async function apiKey(scene: Scene): Promise<Record<string, string>> {
  const { createApiKey } = await ask<{ createApiKey: { key: string } }>(
    scene,
    'mutation($input: CreateApiKeyInput!) { createApiKey(input: $input) { key } }',
    {
      input: {
        name: `${scene.word} key`,
        permissions: ['fleet.instance.read'],
        currentPassword: scene.tenant.account.password,
      },
    },
  );
  return { 'ExchangeApiKeyInput.key': createApiKey.key };
}

/** A copy of the tenant that was made some time ago: another one may be asked for. */
export async function exported({ panel, tenant, word }: Scene): Promise<void> {
  const id = newId('export');
  const now = panel.clock.now().getTime();
  const [begun, ended] = [new Date(now - 2 * 3_600_000), new Date(now + 24 * 3_600_000)];
  await panel.sql(
    `insert into identity.organization_export (tenant_id, id, started_at, completed_at, expires_at)
     values ($1, $2, $3, $3, $4)`,
    [tenant.id, id, begun, ended],
  );
  await panel.sql(
    `insert into identity.organization_export_part (tenant_id, export_id, area, source_table, part, rows)
     values ($1, $2, 'fleet', 'instance', 0, $3)`,
    [tenant.id, id, JSON.stringify([{ name: `${word} exported` }])],
  );
}
