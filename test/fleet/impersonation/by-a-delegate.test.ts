import { decodeJwt } from 'jose';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { entryOf } from '../../identity/audit/support.js';
import { client, provider } from '../../identity/msp/support.js';
import { Mailbox } from '../../identity/support/mailbox.js';
import { emailOf, member } from '../../identity/support/member.js';
import { dataOf } from '../../support/answers.js';
import { startTestPanel, type TestPanel } from '../../support/panel.js';
import { until, type Tenant } from '../../support/world.js';
import { redeem, tokenOf } from './support.js';

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

/** A client with a node, and a user of its provider who acts in it. */
async function acting(role: string) {
  const parent = await provider(panel);
  const acme = await client(panel, mailbox, parent);
  const node = await acme.node('acme-01');
  const { grantDelegation: grant } = dataOf(
    await acme.graphql<{ grantDelegation: { id: string } }>(
      'mutation($input: GrantDelegationInput!) { grantDelegation(input: $input) { id } }',
      { input: { role, expiresInHours: 1 } },
    ),
  );
  const { actInTenant } = dataOf(
    await parent.graphql<{ actInTenant: { accessToken: string } }>(
      'mutation($input: ActInTenantInput!) { actInTenant(input: $input) { accessToken } }',
      { input: { tenantId: acme.id } },
    ),
  );
  const mint = async () =>
    panel.world.rest<{ session_url: string }>(`/api/fleet/instances/${node.id}/impersonate`, {
      token: actInTenant.accessToken,
      body: { reason: 'Case 7' },
    });
  return { parent, acme, node, grant: grant.id, mint };
}

test("a provider's user opens a client's node under a grant, as who they are, and the client's trail says so", async () => {
  const { parent, acme, node, grant, mint } = await acting('ADMIN');
  const minted = await mint();
  const token = tokenOf(minted);
  const claims = decodeJwt(token);
  expect(claims).toMatchObject({
    aud: node.id,
    sub: parent.user.id,
    act: { sub: parent.user.id, tenant: parent.id },
    tenant: acme.id,
    grant,
  });
  expect(await redeem(node, token)).toEqual({
    status: 200,
    body: {
      user: { id: parent.user.id, email: parent.user.email, name: 'Owner' },
      actor: parent.user.id,
      reason: 'Case 7',
      expires_in: 1800,
    },
  });
  expect((await redeem(node, token)).status).toBe(400);
  const under = { grant, actorTenant: parent.id };
  expect(await entryOf(acme, 'impersonateInstance')).toMatchObject({
    actor: parent.user.id,
    actorKind: 'delegate',
    target: node.id,
    details: { ...under, changes: { user: parent.user.id, reason: 'Case 7', jti: claims.jti } },
  });
  expect(await entryOf(acme, 'redeemImpersonation')).toMatchObject({
    actor: node.id,
    details: { changes: { user: parent.user.id, actor: parent.user.id, ...under } },
  });
  expect((await entryOf(acme, 'impersonation_refused')).details).toMatchObject({
    reason: 'TOKEN_USED',
    impersonator: parent.user.id,
    ...under,
  });
});

test('nobody does whose grant is in a role that may not, and the trail has it', async () => {
  const { parent, acme, node, grant, mint } = await acting('OPERATOR');
  expect((await mint()).status).toBe(403);
  expect(await entryOf(acme, 'impersonation_refused')).toMatchObject({
    actor: parent.user.id,
    actorKind: 'delegate',
    target: node.id,
    details: { reason: 'PERMISSION_MISSING', grant, actorTenant: parent.id },
  });
});

test('a node that is opened minutes before the grant ends is left with it', async () => {
  const { parent, acme, node, grant, mint } = await acting('ADMIN');
  const minted = tokenOf(await mint());
  expect(await redeem(node, minted)).toMatchObject({ status: 200, body: { expires_in: 1_800 } });
  await panel.sql('update identity.delegation set expires_at = $2 where id = $1', [
    grant,
    new Date(panel.clock.now().getTime() + 300_000),
  ]);
  const { actInTenant } = dataOf(
    await panel.world.graphql<{ actInTenant: { accessToken: string } }>(
      'mutation($input: ActInTenantInput!) { actInTenant(input: $input) { accessToken } }',
      { input: { tenantId: acme.id } },
      parent.token,
    ),
  );
  const late = await panel.world.rest<{ session_url: string }>(
    `/api/fleet/instances/${node.id}/impersonate`,
    { token: actInTenant.accessToken, body: {} },
  );
  const { body } = await redeem(node, tokenOf(late));
  expect(Number(body['expires_in'])).toBeLessThanOrEqual(300);
});

test('a grant that is taken back ends what was minted under it', async () => {
  const { acme, node, grant, mint } = await acting('ADMIN');
  const token = tokenOf(await mint());
  await revoked(acme, grant);
  let answer: Awaited<ReturnType<typeof mint>>;
  await until(async () => (answer = await mint()).status === 403, 'the grant to be refused');
  expect([answer!.status, await redeem(node, token)]).toEqual([
    403,
    { status: 400, body: { error: 'The delegated access has ended' } },
  ]);
});

test('a grant that is for others from now on ends what was minted under it', async () => {
  const { parent, acme, node, grant, mint } = await acting('ADMIN');
  const token = tokenOf(await mint());
  const other = await member(parent, mailbox);
  const email = await emailOf(panel, other.user.id);
  dataOf(
    await acme.graphql('mutation($input: LimitDelegationInput!) { limitDelegation(input: $input) { id } }', {
      input: { id: grant, userEmails: [email] },
    }),
  );
  await until(async () => (await mint()).status === 403, 'the grant to be refused');
  expect(await redeem(node, token)).toEqual({
    status: 400,
    body: { error: 'The delegated access has ended' },
  });
});

async function revoked(tenant: Tenant, id: string): Promise<void> {
  dataOf(await tenant.graphql('mutation($id: ID!) { revokeDelegation(id: $id) { revokedAt } }', { id }));
}
