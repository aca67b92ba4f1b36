import { afterAll, beforeAll, expect, test } from 'vitest';

import { silentLogger } from '#platform/logger.js';
import { startHetznerSandbox, type HetznerSandbox } from '#sandbox/hetzner/start.js';
import { startKubernetesSandbox, type KubernetesSandbox } from '#sandbox/kubernetes/start.js';

import { group, override, overridesOf, remove } from '../../fleet/alerts/support/overrides.js';
import { connect } from '../../hosting/support/hosting-panel.js';
import { cluster, clusterOf, registerOverRest } from '../../hosting/support/kubernetes-panel.js';
import { dataOf, refusal } from '../../support/answers.js';
import { startTestPanel, type TestPanel } from '../../support/panel.js';
import { until, type Tenant } from '../../support/world.js';
import { entryOf, trailOf } from '../audit/support.js';
import { client, provider } from '../msp/support.js';
import { Mailbox } from '../support/mailbox.js';
import { act, grant, revoke } from './support.js';

const hour = 60 * 60 * 1000;
const words = 'The access ended under which the provider had set it up';
const settings = { ALLOW_PRIVATE_TARGETS: '127.0.0.0/8' };

interface Shown {
  notificationChannels: { nodes: { name: string; isEnabled: boolean; disabledReason: string | null }[] };
  gitOpsConfigs: { nodes: { name: string; isPaused: boolean; pausedReason: string | null }[] };
}

let mailbox: Mailbox;
let panel: TestPanel;
let hetzner: HetznerSandbox;
let kubernetes: KubernetesSandbox;
beforeAll(async () => {
  mailbox = await Mailbox.start();
  const clock = { now: () => new Date(), delay: async () => new Promise<void>(() => undefined) };
  const ofStandIns = { port: 0, clock, logger: silentLogger };
  hetzner = await startHetznerSandbox(ofStandIns);
  kubernetes = await startKubernetesSandbox(ofStandIns);
  panel = await startTestPanel({ SMTP_URL: mailbox.url, HETZNER_API_BASE: hetzner.url, ...settings });
});
afterAll(async () => {
  await panel.stop();
  await Promise.all([hetzner.stop(), kubernetes.stop()]);
  await mailbox[Symbol.asyncDispose]();
});

const setUp = async (of: TestPanel, token: string, name: string) => {
  const channel = await of.world.graphql<{ createWebhookChannel: { channel: { id: string } } }>(
    'mutation($input: CreateWebhookChannelInput!) { createWebhookChannel(input: $input) { channel { id } } }',
    { input: { name, url: `https://127.0.0.1/${name}` } },
    token,
  );
  const repository = await of.world.graphql<{ createGitOpsConfig: { id: string } }>(
    'mutation($input: CreateGitOpsConfigInput!) { createGitOpsConfig(input: $input) { id } }',
    { input: { name, repoUrl: `https://127.0.0.1/${name}.git`, autoSync: true, selfHeal: true } },
    token,
  );
  return { channel, repository };
};

const made = ({ channel, repository }: Awaited<ReturnType<typeof setUp>>) => ({
  channelId: dataOf(channel).createWebhookChannel.channel.id,
  repositoryId: dataOf(repository).createGitOpsConfig.id,
});

/** By name, why each channel is off and each repository paused; null for what goes on. */
const ended = async (tenant: Tenant) => {
  const { notificationChannels, gitOpsConfigs } = dataOf(
    await tenant.graphql<Shown>(
      `{ notificationChannels { nodes { name isEnabled disabledReason } }
         gitOpsConfigs { nodes { name isPaused pausedReason } } }`,
    ),
  );
  return {
    channels: Object.fromEntries(
      notificationChannels.nodes.map((one) => [one.name, one.isEnabled ? null : one.disabledReason]),
    ),
    repositories: Object.fromEntries(
      gitOpsConfigs.nodes.map((one) => [one.name, one.isPaused ? one.pausedReason : null]),
    ),
  };
};

const becomes = async (tenant: Tenant, names: Record<string, string | null>) => {
  const expected = JSON.stringify({ channels: names, repositories: names });
  await until(async () => JSON.stringify(await ended(tenant)) === expected, `it to be ${expected}`);
};

const enable = async (tenant: Tenant, id: string) =>
  tenant.graphql(
    'mutation($input: UpdateNotificationChannelInput!) { updateNotificationChannel(input: $input) { id } }',
    { input: { id, isEnabled: true } },
  );

const change = async (of: TestPanel, token: string, id: string, input: object) =>
  of.world.graphql(
    'mutation($id: ID!, $input: UpdateGitOpsConfigInput!) { updateGitOpsConfig(id: $id, input: $input) { id } }',
    { id, input },
    token,
  );

test.concurrent('what a provider set up under a grant ends with it, and the client takes it up by one act', async () => {
  const parent = await provider(panel);
  const acme = await client(panel, mailbox, parent);
  const own = made(await setUp(panel, acme.token, 'own'));
  const moved = made(await setUp(panel, acme.token, 'moved'));
  const given = dataOf(await grant(acme, { role: 'ADMIN' })).grantDelegation;
  const { accessToken: token } = dataOf(await act(panel, parent.token, acme.id)).actInTenant;
  const theirs = made(await setUp(panel, token, 'theirs'));
  // What is given another address is theirs from then on, and what is changed otherwise is not.
  dataOf(await change(panel, token, moved.repositoryId, { repoUrl: 'https://127.0.0.1/theirs-too.git' }));
  dataOf(await change(panel, token, own.repositoryId, { syncIntervalSeconds: 300 }));
  dataOf(
    await panel.world.graphql(
      'mutation($input: UpdateNotificationChannelInput!) { updateNotificationChannel(input: $input) { id } }',
      { input: { id: moved.channelId, url: 'https://127.0.0.1/theirs-too' } },
      token,
    ),
  );
  await becomes(acme, { own: null, moved: null, theirs: null });

  dataOf(await revoke(acme, given.id));
  await becomes(acme, { own: null, moved: words, theirs: words });
  for (const [action, actor, changes] of [
    ['updateNotificationChannel', 'svc:fleet', { isEnabled: false }],
    ['updateGitOpsConfig', 'svc:governance', { isPaused: true }],
  ] as const) {
    const entries = async () => (await trailOf(acme, { filter: { action, actor } })).nodes;
    await until(async () => (await entries()).length === 2, `${action} in the trail`);
    for (const { details } of await entries())
      expect(details).toMatchObject({ changes: { ...changes, reason: 'GRANT_ENDED', grant: given.id } });
  }

  dataOf(await enable(acme, theirs.channelId));
  dataOf(await change(panel, acme.token, theirs.repositoryId, { isPaused: false }));
  await becomes(acme, { own: null, moved: words, theirs: null });
  const kept = await panel.sql(
    `select name from fleet.notification_channel where tenant_id = $1 and grant_id is not null
     union all select name from governance.gitops_config where tenant_id = $1 and grant_id is not null`,
    [acme.id],
  );
  expect(kept).toEqual([{ name: 'moved' }, { name: 'moved' }]);
});

test.concurrent("overrides of alert rules are set under a grant that lets one operate, told as the provider's, and stay after it", async () => {
  const parent = await provider(panel);
  const acme = await client(panel, mailbox, parent);
  const groupId = await group(acme, 'all', { kind: 'LIVE', filter: { tags: ['all'] } });
  const theirGroup = await group(parent, 'theirs', { kind: 'LIVE', filter: { tags: ['all'] } });
  const input = { kind: 'CPU', groupId, threshold: 60 };
  const asOf = async (role: string) => {
    const { id } = dataOf(await grant(acme, { role })).grantDelegation;
    const { accessToken } = dataOf(await act(panel, parent.token, acme.id)).actInTenant;
    return {
      id,
      ask: async (document: string, variables: object) =>
        panel.world.graphql<{ overrideAlertRule: object }>(document, { ...variables }, accessToken),
    };
  };
  const watching = await asOf('VIEWER');
  for (const [document, variables] of [
    [override, { input }],
    [remove, { kind: 'CPU', groupId }],
  ] as const)
    expect(refusal(await watching.ask(document, variables))).toMatchObject({ code: 'FORBIDDEN' });
  const operating = await asOf('OPERATOR');
  // Nor does a provider bring its own groups with it.
  expect(refusal(await operating.ask(override, { input: { ...input, groupId: theirGroup } }))).toMatchObject({
    details: { 'input.groupId': `There is no group ${theirGroup}` },
  });
  for (let time = 0; time < 2; time += 1)
    expect(dataOf(await operating.ask(override, { input })).overrideAlertRule).toMatchObject({
      priority: 10,
      updatedBy: parent.user.id,
    });
  expect(await entryOf(acme, 'overrideAlertRule')).toMatchObject({
    actor: parent.user.id,
    actorKind: 'delegate',
    details: { grant: operating.id, actorTenant: parent.id, changes: { groupId, threshold: 60 } },
  });
  dataOf(await revoke(acme, operating.id));
  await until(
    async () => (await operating.ask('{ alertRules { kind } }', {})).errors !== undefined,
    'the grant to have ended',
  );
  expect(refusal(await operating.ask(remove, { kind: 'CPU', groupId }))).toEqual({
    code: 'FORBIDDEN',
    reason: 'GRANT_ENDED',
  });
  expect(await overridesOf(acme, 'CPU')).toEqual([{ groupId, priority: 10 }]);
  expect(await overridesOf(parent, 'CPU')).toEqual([]);
});

test('what was set up under a grant ends at its time too', async () => {
  await using timed = await startTestPanel({ SMTP_URL: mailbox.url, ...settings });
  const parent = await provider(timed);
  const acme = await client(timed, mailbox, parent);
  dataOf(await grant(acme, { role: 'ADMIN' }));
  const { accessToken } = dataOf(await act(timed, parent.token, acme.id)).actInTenant;
  made(await setUp(timed, accessToken, 'theirs'));
  await timed.clock.leap(hour);
  const { access_token: token } = (await timed.world.login(acme.account.email, acme.account.password)).body;
  const owner = Object.assign(Object.create(acme) as Tenant, { token });
  await becomes(owner, { theirs: words });
  expect(await ended(owner)).toEqual({ channels: { theirs: words }, repositories: { theirs: words } });
});

const kubeconfig = () => kubernetes.kubeconfig({ by: 'token' });

test.concurrent('a webhook whose secret a provider has renewed, and so knows, ends with the grant', async () => {
  const parent = await provider(panel);
  const acme = await client(panel, mailbox, parent);
  const { channelId: id } = made(await setUp(panel, acme.token, 'known'));
  const given = dataOf(await grant(acme, { role: 'ADMIN' })).grantDelegation;
  const { accessToken: token } = dataOf(await act(panel, parent.token, acme.id)).actInTenant;
  const rotate =
    'mutation($id: ID!) { rotateWebhookSecret(input: { id: $id, keepPreviousHours: 0 }) { secret } }';
  dataOf(await panel.world.graphql(rotate, { id }, token));
  dataOf(await revoke(acme, given.id));
  await until(async () => (await ended(acme)).channels['known'] !== null, 'the channel to be off');
  expect((await ended(acme)).channels).toEqual({ known: words });
});

test.concurrent('a cluster and an account with a provider lose the credential that was given under a grant', async () => {
  const parent = await provider(panel);
  const acme = await client(panel, mailbox, parent);
  const own = await cluster(acme, kubernetes, { name: 'own', access: { by: 'token' } });
  const given = dataOf(await grant(acme, { role: 'ADMIN' })).grantDelegation;
  const { accessToken: token } = dataOf(await act(panel, parent.token, acme.id)).actInTenant;
  const delegate = Object.assign(Object.create(acme) as Tenant, { token });
  const replace = async (tenant: Tenant) =>
    dataOf(
      await tenant.graphql(
        'mutation($id: ID!, $input: UpdateClusterInput!) { updateCluster(id: $id, input: $input) { status } }',
        { id: own, input: { kubeconfig: kubeconfig() } },
      ),
    );
  await replace(delegate);
  dataOf(await connect(delegate, hetzner.token()));
  dataOf(await revoke(acme, given.id));
  await until(async () => (await clusterOf(acme, own)).reason === 'GRANT_ENDED', 'the cluster to lose it');
  // A version from before that was just looking at it says that it can not open what is not there.
  await panel.sql(`update hosting.cluster set reason = 'CREDENTIAL_UNREADABLE' where id = $1`, [own]);
  expect(await clusterOf(acme, own)).toMatchObject({ status: 'DEGRADED', reason: 'GRANT_ENDED' });
  const account = async () =>
    dataOf(
      await acme.graphql<{ hostingProviders: { id: string; status: string; problem: string | null }[] }>(
        '{ hostingProviders { id status problem } }',
      ),
    ).hostingProviders.find(({ id }) => id === 'hetzner');
  await until(async () => (await account())?.status === 'FAILING', 'the account to lose its token');
  const sentence = 'The access ended under which its token was given: connect it again';
  expect(await account()).toMatchObject({ problem: sentence });

  // Nothing is sent by what they gave: neither a deployment nor an order.
  const deployed = await acme.graphql(
    'mutation($input: CreateDeploymentInput!) { createDeployment(input: $input) { id } }',
    { input: { clusterId: own, name: 'web', image: 'nginx:1', env: { SECRET: 'of the client' } } },
  );
  expect(refusal(deployed)).toMatchObject({ code: 'CONFLICT' });
  const ordered = await acme.graphql(
    'mutation($input: ProvisionServerInput!) { provisionServer(input: $input) { id } }',
    { input: { provider: 'hetzner', name: 'web-1', region: 'fsn1', size: 'cx22', installCloudOs: false } },
  );
  expect(refusal(ordered)).toMatchObject({ code: 'CONFLICT', reason: 'TOKEN_REFUSED' });

  // What the client gives itself is its own.
  await replace(acme);
  dataOf(await connect(acme, hetzner.token()));
  expect(await clusterOf(acme, own)).toMatchObject({ status: 'HEALTHY', reason: null });
  expect(await account()).toMatchObject({ status: 'ACTIVE', problem: null });
  const kept = await panel.sql(
    `select 1 from hosting.cluster where tenant_id = $1 and grant_id is not null
     union all select 1 from hosting.provider_account where tenant_id = $1 and grant_id is not null`,
    [acme.id],
  );
  expect(kept).toEqual([]);
});

test.concurrent('a token that is still good sets nothing up once its grant has ended', async () => {
  const parent = await provider(panel);
  const acme = await client(panel, mailbox, parent);
  const { id } = dataOf(await grant(acme, { role: 'ADMIN' })).grantDelegation;
  const { accessToken } = dataOf(await act(panel, parent.token, acme.id)).actInTenant;
  for (const table of ['fleet.ended_maker', 'governance.ended_grant', 'hosting.ended_grant'])
    await panel.sql(`insert into ${table} (tenant_id, id, ended_at) values ($1, $2, now())`, [acme.id, id]);
  const { channel, repository } = await setUp(panel, accessToken, 'late');
  expect([refusal(channel), refusal(repository)]).toEqual([
    { code: 'FORBIDDEN', reason: 'ACCESS_ENDED' },
    { code: 'FORBIDDEN', reason: 'GRANT_ENDED' },
  ]);
  const late = Object.assign(Object.create(acme) as Tenant, { token: accessToken });
  expect((await registerOverRest(late, kubeconfig())).status).toBe(403);
  expect(refusal(await connect(late, hetzner.token()))).toEqual({ code: 'FORBIDDEN', reason: 'GRANT_ENDED' });
  expect(await ended(acme)).toEqual({ channels: {}, repositories: {} });
});
