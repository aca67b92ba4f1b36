import { randomUUID } from 'node:crypto';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { silentLogger } from '#platform/logger.js';
import { startHetznerSandbox, type HetznerSandbox } from '#sandbox/hetzner/start.js';
import { startKubernetesSandbox, type KubernetesSandbox } from '#sandbox/kubernetes/start.js';

import { connect } from '../../hosting/support/hosting-panel.js';
import { cluster, clusterOf } from '../../hosting/support/kubernetes-panel.js';
import { dataOf, refusal } from '../../support/answers.js';
import { startTestPanel, type TestPanel } from '../../support/panel.js';
import { toldLate } from '../../support/told-late.js';
import { until, type Tenant } from '../../support/world.js';
import { entryOf } from '../audit/support.js';
import { Mailbox } from '../support/mailbox.js';
import { emailOf, member, remove } from '../support/member.js';
import { enableTotp } from '../support/totp.js';

let mailbox: Mailbox;
let panel: TestPanel;
let hetzner: HetznerSandbox;
let kubernetes: KubernetesSandbox;
let another: KubernetesSandbox;
beforeAll(async () => {
  mailbox = await Mailbox.start();
  const clock = { now: () => new Date(), delay: async () => new Promise<void>(() => undefined) };
  const ofStandIns = { port: 0, clock, logger: silentLogger };
  hetzner = await startHetznerSandbox(ofStandIns);
  kubernetes = await startKubernetesSandbox(ofStandIns);
  another = await startKubernetesSandbox(ofStandIns);
  panel = await startTestPanel({
    SMTP_URL: mailbox.url,
    HETZNER_API_BASE: hetzner.url,
    ALLOW_PRIVATE_TARGETS: '127.0.0.0/8',
  });
});
afterAll(async () => {
  await panel.stop();
  await Promise.all([hetzner.stop(), kubernetes.stop(), another.stop()]);
  await mailbox[Symbol.asyncDispose]();
});

const newPassword = 'what the owner chose';

/** All by which somebody could go on acting in an account, or keep others out. */
async function settleIn(tenant: Tenant): Promise<{ key: string; invitation: string; node: string }> {
  await enableTotp(panel, tenant);
  const input = {
    name: 'key',
    permissions: ['identity.tenant.read', 'fleet.token.read'],
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
  return {
    key: dataOf(made).createApiKey.key,
    invitation: await mailbox.token(email, /Join/),
    node: await setUp(tenant.token, 'theirs'),
  };
}

/** A channel, a repository and an enrollment token, which is the answer. */
async function setUp(token: string, name: string): Promise<string> {
  const made = await panel.world.graphql<{ createEnrollmentToken: { token: string } }>(
    `mutation($name: String!, $url: String!) {
      createWebhookChannel(input: { name: $name, url: $url }) { channel { id } }
      createGitOpsConfig(input: { name: $name, repoUrl: $url }) { id }
      createEnrollmentToken(input: { name: $name }) { token }
    }`,
    { name, url: `https://127.0.0.1/${name}.git` },
    token,
  );
  return dataOf(made).createEnrollmentToken.token;
}

/** By what goes on: whether channels are on and repositories are read, and why enrollment tokens ended. */
async function leftOf(token: string): Promise<unknown> {
  const { notificationChannels, gitOpsConfigs, enrollmentTokens } = dataOf(
    await panel.world.graphql<Record<string, { nodes: unknown[] }>>(
      `{ notificationChannels { nodes { isEnabled disabledReason } }
         gitOpsConfigs { nodes { isPaused pausedReason } }
         enrollmentTokens { nodes { revokedReason } } }`,
      {},
      token,
    ),
  );
  return [notificationChannels, gitOpsConfigs, enrollmentTokens].map((page) => page!.nodes);
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
  const tenant = await (await panel.world.tenant()).grantPlan('PRO');
  const accomplice = await member(tenant, mailbox, 'OWNER');
  const former = await member(tenant, mailbox, 'ADMIN');
  await setUp(former.accessToken, 'hidden');
  await remove(tenant, former.user.id);
  const { key, invitation, node } = await settleIn(tenant);
  const theirs = await cluster(tenant, kubernetes, { access: { by: 'token' } });
  dataOf(await connect(tenant, hetzner.token()));
  // What the owner gives is theirs, however late it is heard that the account is.
  const given = await cluster(tenant, another, { access: { by: 'token' } });
  await panel.sql(`update hosting.cluster set given_at = now() + interval '1 hour' where id = $1`, [given]);
  expect((await reads(key)).errors).toBeUndefined();
  await resetPassword(tenant);
  const signedIn = await signIn(tenant);
  expect(signedIn).toMatchObject({ access_token: expect.any(String) });
  expect(refusal(await reads(key))).toMatchObject({ code: 'UNAUTHENTICATED' });
  const accepted = await panel.world.graphql(
    'mutation($input: AcceptInvitationInput!) { acceptInvitation(input: $input) { expiresIn } }',
    { input: { token: invitation, name: 'Another', password: newPassword } },
  );
  expect(refusal(accepted)).toMatchObject({ reason: 'INVITATION_INVALID' });
  expect(refusal(await reads(accomplice.accessToken))).toMatchObject({ code: 'UNAUTHENTICATED' });
  const people = await panel.world.graphql<{ members: { nodes: unknown[] } }>(
    '{ members { nodes { id role } } }',
    {},
    String(signedIn['access_token']),
  );
  expect(dataOf(people).members.nodes).toEqual([
    { id: tenant.user.id, role: 'OWNER' },
    { id: accomplice.user.id, role: 'VIEWER' },
  ]);
  const why = 'It was set up before the owner of the address had the account';
  await expect
    .poll(async () => leftOf(String(signedIn['access_token'])), { timeout: 30_000 })
    .toEqual([
      Array(2).fill({ isEnabled: false, disabledReason: why }),
      Array(2).fill({ isPaused: true, pausedReason: why }),
      [{ revokedReason: 'MEMBER_REMOVED' }, { revokedReason: 'ADDRESS_PROVED' }],
    ]);
  const enrolled = await panel.world.graphql(
    'mutation($input: EnrollInstanceInput!) { enrollInstance(input: $input) { instanceId } }',
    { input: { token: node, name: 'n', hostname: 'n.example', version: '0.2.9' } },
  );
  expect(refusal(enrolled)).toEqual({ code: 'UNAUTHENTICATED', reason: 'TOKEN_REVOKED' });
  // Nothing is sent to a cluster or bought from an account that may be the stranger's.
  const owner = Object.assign(Object.create(tenant) as Tenant, { token: signedIn['access_token'] });
  await until(
    async () => (await clusterOf(owner, theirs)).reason === 'ADDRESS_PROVED',
    'the cluster to lose its credential',
  );
  expect(await clusterOf(owner, given)).toMatchObject({ status: 'HEALTHY', reason: null });
  const account = async () =>
    dataOf(
      await owner.graphql<{ hostingProviders: { id: string; status: string }[] }>(
        '{ hostingProviders { id status } }',
      ),
    ).hostingProviders.find(({ id }) => id === 'hetzner')?.status;
  await until(async () => (await account()) === 'FAILING', 'the account to lose its token');
  const input = { kubeconfig: kubernetes.kubeconfig({ by: 'token' }) };
  const replace =
    'mutation($id: ID!, $input: UpdateClusterInput!) { updateCluster(id: $id, input: $input) { id } }';
  dataOf(await owner.graphql(replace, { id: theirs, input }));
  dataOf(await connect(owner, hetzner.token()));
  expect(await clusterOf(owner, theirs)).toMatchObject({ status: 'HEALTHY', reason: null });
  expect(await account()).toBe('ACTIVE');
  await mailbox.receive(tenant.account.email, /One-time codes are off/);
  // Which roles the owner gives back is in the mail and in the trail.
  const mail = await mailbox.receive(tenant.account.email, /before is ended/);
  expect(mail.text).toContain(`<${await emailOf(panel, accomplice.user.id)}>, OWNER until now`);
  expect(await entryOf(owner, 'changeMemberRole')).toMatchObject({
    target: accomplice.user.id,
    actor: 'svc:identity',
    details: { changes: { reason: 'ADDRESS_PROVED', role: { from: 'OWNER', to: 'VIEWER' } } },
  });
});

test('what the owner of an address sets up stays, however late it is heard that they have the account', async () => {
  const tenant = await (await panel.world.tenant()).grantPlan('PRO');
  const occurredAt = panel.clock.now();
  await panel.clock.advance(1_000);
  await setUp(tenant.token, 'own');
  const payload = { makers: [tenant.user.id] };
  for (const area of ['fleet', 'governance'])
    await toldLate(panel, area, {
      topic: 'identity.account.reclaimed',
      tenantId: tenant.id,
      payload,
      occurredAt,
    });
  expect(await leftOf(tenant.token)).toEqual([
    [{ isEnabled: true, disabledReason: null }],
    [{ isPaused: false, pausedReason: null }],
    [{ revokedReason: null }],
  ]);
});

test('an account whose address was proved before keeps what it has when its password is reset, and so do those who are in it', async () => {
  const tenant = await (await panel.world.tenant()).grantPlan('PRO');
  const token = await mailbox.token(tenant.account.email, /Confirm/);
  const verifyEmail = 'mutation($token: String!) { verifyEmail(input: { token: $token }) { emailVerified } }';
  dataOf(await panel.world.graphql(verifyEmail, { token }));
  const colleague = await member(tenant, mailbox, 'ADMIN');
  const { key } = await settleIn(tenant);
  await resetPassword(tenant);
  expect(await signIn(tenant)).toMatchObject({ totp_required: true });
  expect((await reads(key)).errors).toBeUndefined();
  expect((await reads(colleague.accessToken)).errors).toBeUndefined();
  const { body } = await panel.world.rest<{ revoked_reason?: string }[]>('/api/fleet/tokens', { token: key });
  expect(body).toEqual([expect.not.objectContaining({ revoked_reason: expect.anything() })]);
});
