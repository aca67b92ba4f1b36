import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { EnrollmentTokenEnd } from '#subgraphs/fleet/enrollment/enrollment-token.entity.js';

import { entryOf } from '../identity/audit/support.js';
import { client, provider } from '../identity/msp/support.js';
import { Mailbox } from '../identity/support/mailbox.js';
import { giveRole, member, remove } from '../identity/support/member.js';
import { dataOf, refusal } from '../support/answers.js';
import { startTestPanel, type TestPanel } from '../support/panel.js';
import { toldLate } from '../support/told-late.js';
import { until, type Tenant } from '../support/world.js';

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

interface Made {
  token: string;
  expires_at: string;
}

async function made(token: string, body: Record<string, unknown> = {}): Promise<Made> {
  const answer = await panel.world.rest<Made>('/api/fleet/tokens', {
    token,
    body: { name: 'door', ...body },
  });
  if (answer.status !== 201) throw new Error(`tokens: ${answer.status} ${answer.text}`);
  return answer.body;
}

/** What the tenant reads of its tokens, oldest first. */
async function reasons(tenant: Tenant): Promise<(string | undefined)[]> {
  const { body } = await tenant.rest<{ revoked_reason?: string }[]>('/api/fleet/tokens');
  return body.map(({ revoked_reason }) => revoked_reason);
}

const becomes = async (tenant: Tenant, expected: readonly (string | undefined)[]) =>
  until(async () => (await reasons(tenant)).join() === expected.join(), `tokens to be ${expected.join()}`);

async function enroll(token: string): Promise<unknown> {
  const answer = await panel.world.graphql(
    'mutation($input: EnrollInstanceInput!) { enrollInstance(input: $input) { instanceId } }',
    { input: { token, name: 'n', hostname: 'n.example', version: '0.2.9' } },
  );
  return answer.errors ? refusal(answer) : 'in';
}

const refused = { code: 'UNAUTHENTICATED', reason: 'TOKEN_REVOKED' };

test('with a member who is removed go the tokens that they made, and no others', async () => {
  const tenant = await (await panel.world.tenant()).grantPlan('PRO');
  const admin = await member(tenant, mailbox);
  const theirs = await made(admin.accessToken);
  const other = await made(tenant.token);
  await remove(tenant, admin.user.id);
  await becomes(tenant, ['member_removed', undefined]);
  expect([await enroll(theirs.token), await enroll(other.token)]).toEqual([refused, 'in']);
  expect(await entryOf(tenant, 'revokeEnrollmentToken')).toMatchObject({
    actor: 'svc:fleet',
    details: { changes: { reason: 'MEMBER_REMOVED', maker: admin.user.id } },
  });
});

test('with a role that may make tokens go those that were made in it, and a new one makes new ones', async () => {
  const tenant = await (await panel.world.tenant()).grantPlan('PRO');
  const admin = await member(tenant, mailbox);
  await made(admin.accessToken);
  await giveRole(tenant, admin.user.id, 'OPERATOR');
  await giveRole(tenant, admin.user.id, 'VIEWER');
  await becomes(tenant, ['role_changed']);
  await giveRole(tenant, admin.user.id, 'OPERATOR');
  await until(
    async () =>
      (await panel.sql('select 1 from fleet.ended_maker where id = $1', [admin.user.id])).length === 0,
    'the role to reach fleet',
  );
  expect(await reasons(tenant)).toEqual(['role_changed']);
});

test('with an API key go the tokens that it made, and none outlasts it', async () => {
  const tenant = await (await panel.world.tenant()).grantPlan('PRO');
  const { createApiKey } = dataOf(
    await tenant.graphql<{ createApiKey: { key: string; apiKey: { id: string; expiresAt: string } } }>(
      'mutation($input: CreateApiKeyInput!) { createApiKey(input: $input) { key apiKey { id expiresAt } } }',
      {
        input: {
          name: 'door',
          permissions: ['fleet.token.create'],
          expiresInDays: 1,
          currentPassword: tenant.account.password,
        },
      },
    ),
  );
  const { token, expires_at } = await made(createApiKey.key, { expires_in_hours: 48 });
  expect(Date.parse(expires_at) - Date.parse(createApiKey.apiKey.expiresAt)).toBeLessThanOrEqual(0);
  dataOf(
    await tenant.graphql('mutation($id: ID!) { revokeApiKey(id: $id) { id } }', {
      id: createApiKey.apiKey.id,
    }),
  );
  await becomes(tenant, ['api_key_revoked']);
  expect(await enroll(token)).toEqual(refused);
});

test("with a grant go the tokens that a provider's users made under it, and with such a user theirs", async () => {
  const parent = await provider(panel);
  const acme = await client(panel, mailbox, parent);
  const { grantDelegation } = dataOf(
    await acme.graphql<{ grantDelegation: { id: string } }>(
      'mutation($input: GrantDelegationInput!) { grantDelegation(input: $input) { id } }',
      { input: { role: 'OPERATOR', expiresInHours: 1 } },
    ),
  );
  const actor = await member(parent, mailbox);
  const acting = async (token: string) =>
    dataOf(
      await panel.world.graphql<{ actInTenant: { accessToken: string } }>(
        'mutation($input: ActInTenantInput!) { actInTenant(input: $input) { accessToken } }',
        { input: { tenantId: acme.id } },
        token,
      ),
    ).actInTenant.accessToken;
  const [byActor, byOwner] = [
    await made(await acting(actor.accessToken)),
    await made(await acting(parent.token)),
  ];
  await made(acme.token);
  const hour = panel.clock.now().getTime() + 60 * 60 * 1000;
  expect([byActor, byOwner].map(({ expires_at }) => Date.parse(expires_at) <= hour)).toEqual([true, true]);
  await remove(parent, actor.user.id);
  await becomes(acme, ['member_removed', undefined, undefined]);
  dataOf(
    await acme.graphql('mutation($id: ID!) { revokeDelegation(id: $id) { id } }', {
      id: grantDelegation.id,
    }),
  );
  await becomes(acme, ['member_removed', 'grant_ended', undefined]);
});

test('an access token that is still good makes none once its holder has ended', async () => {
  const tenant = await panel.world.tenant();
  await panel.sql('insert into fleet.ended_maker (tenant_id, id, ended_at) values ($1, $2, now())', [
    tenant.id,
    tenant.user.id,
  ]);
  const answer = await tenant.graphql(
    'mutation { createEnrollmentToken(input: { name: "late" }) { token } }',
  );
  expect(refusal(answer)).toEqual({ code: 'FORBIDDEN', reason: 'ACCESS_ENDED' });
  expect(await reasons(tenant)).toEqual([]);
});

describe('nobody is spared any more once a grant has ended that was for some', () => {
  const hasEnded = async (grant: string) =>
    (
      await panel.sql<{ ended: boolean }>('select fleet.has_maker_ended(array[$1, $2]) as ended', [
        grant,
        'usr_spared',
      ])
    )[0]!.ended;
  const told = async (what: 'limited' | 'ended', grant: string) =>
    toldLate(panel, 'fleet', {
      topic: `identity.delegation.${what}`,
      tenantId: 'org_some',
      payload: { delegationId: grant, userIds: what === 'limited' ? ['usr_spared'] : null },
      occurredAt: panel.clock.now(),
    });

  test('also if that it was for some is heard later', async () => {
    await told('limited', 'dlg_late');
    expect(await hasEnded('dlg_late')).toBe(false);
    await told('ended', 'dlg_late');
    expect(await hasEnded('dlg_late')).toBe(true);
    await told('limited', 'dlg_late');
    expect(await hasEnded('dlg_late')).toBe(true);
  });

  test('also if a version of before ended it', async () => {
    await told('limited', 'dlg_before');
    await panel.clock.advance(1_000);
    await panel.sql(
      `insert into fleet.ended_maker (tenant_id, id, ended_at) values ('org_some', 'dlg_before', $1)
       on conflict (tenant_id, id) do update set ended_at = excluded.ended_at`,
      [panel.clock.now()],
    );
    expect(await hasEnded('dlg_before')).toBe(true);
  });
});

test('a token that someone revoked says so, and every reason has its words', async () => {
  const tenant = await panel.world.tenant();
  for (const reason of Object.values(EnrollmentTokenEnd)) {
    const { token } = await made(tenant.token);
    await panel.sql(
      `update fleet.enrollment_token set revoked_at = now(), revoked_reason = $2
       where tenant_id = $1 and revoked_at is null`,
      [tenant.id, reason],
    );
    const answer = await panel.world.rest('/api/agent/enroll', {
      body: { token, name: 'n', hostname: 'n.example', version: '1' },
    });
    expect([answer.status, answer.body]).toEqual([
      401,
      { error: expect.stringMatching(/^The enrollment token /) },
    ]);
  }
  const { body } = await tenant.rest<{ id: string }[]>('/api/fleet/tokens');
  await made(tenant.token);
  const id = (await tenant.rest<{ id: string }[]>('/api/fleet/tokens')).body.at(-1)!.id;
  await tenant.rest(`/api/fleet/tokens/${id}`, { method: 'DELETE' });
  expect((await reasons(tenant)).slice(body.length)).toEqual(['revoked']);
});
