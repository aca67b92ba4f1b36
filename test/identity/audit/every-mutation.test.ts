import { readFileSync } from 'node:fs';

import { buildSchema } from 'graphql';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { areaNames, areaSettings } from '#panel/areas.js';
import { createSubgraphs } from '#panel/subgraphs.js';
import { silentLogger } from '#platform/logger.js';
import { assetPath } from '#platform/package-root.js';
import { Keyring } from '#platform/secrets/keyring.js';

import { declaredIn, isFinding, tryArguments, type Declared } from '../../security/check-roles.js';
import { inTurns, type Finding } from '../../security/findings.js';
import { matrix, permissionsOf } from '../../security/matrix.js';
import { callOf, leastOf } from '../../security/operations.js';
import { RichScene } from '../../security/rich-scene.js';
import { redirectUri, Scene } from '../../security/scene.js';
import { panelTarget } from '../../security/target.js';
import { startTestPanel, type TestPanel } from '../../support/panel.js';
import { until } from '../../support/world.js';

/** Mutations that leave no entry, each with why. */
const unaudited: Record<string, string> = {
  reportHeartbeat: 'telemetry, which would drown the trail',
  reportCommandResult: "a node's answer; the command it belongs to is in the trail",
  exchangeApiKey: 'nothing changes; what the key does afterwards is in the trail',
};

/** Mutations that neither the scene nor generated arguments bring to succeed, each with why; others see to their entries. */
const outOfReach: Record<string, string> = {
  resumeSubscription: 'takes a subscription that is paid; see test/billing',
  createCheckoutSession: 'takes a payment provider; see test/billing',
  createPortalSession: 'takes a payment provider; see test/billing',
  advanceTestClock: 'takes a panel with test clocks; see test-clock.test.ts',
  connectProvider: 'takes an account with a provider; see test/hosting',
  provisionServer: 'takes an account with a provider; see test/hosting',
  registerCluster: 'takes a cluster; see test/hosting',
  removeCluster: 'is refused while deployments are there; see test/hosting',
  createDeployment: 'takes a cluster; see test/hosting',
  updateDeployment: 'takes a cluster; see test/hosting',
  deleteDeployment: 'takes a cluster; see test/hosting',
  restartDeployment: 'takes a cluster; see test/hosting',
  rollBackDeployment: 'takes a cluster; see test/hosting',
  placeDeployment: 'takes a cluster; see placement.test.ts',
  refreshGitOpsConfig: 'takes a repository that is not paused; see test/governance',
  syncGitOpsConfig: 'takes a repository that is not paused; see test/governance',
  pauseCanary: 'takes a canary that has begun; see canary.test.ts',
  promoteCanary: 'takes a canary that has begun; see canary.test.ts',
  failOver: 'takes a second process; see ha.test.ts',
  resumeUpgrade: 'takes an upgrade that is paused; see ha-upgrade.test.ts',
  cancelUpgrade: 'takes an upgrade that is under way; see ha-upgrade.test.ts',
  remediatePolicy: 'takes a policy that fails; see remediation.test.ts',
  retryCommand: 'takes a command that has ended on an instance; see results.test.ts',
  resumeCanary: 'takes a canary that is paused; see canary.test.ts',
  actInTenant: 'takes the grant of another tenant; see delegation.test.ts',
  limitDelegation: 'takes the address of a user of the provider; see named-users.test.ts',
  confirmNotificationAddress: 'takes the link of a mail; see confirmed-addresses.test.ts',
  completeSetup: 'the panel has its administrator',
  disableTotp: 'takes a code that was not used yet; see the outbox test',
  regenerateRecoveryCodes: 'takes a code that was not used yet; see totp.test.ts',
  suspendTenant: 'an administrator does not suspend their own tenant; see suspension.test.ts',
  closeTenant: 'an administrator does not close their own tenant; see suspension.test.ts',
  closeOrganization: 'ends the tenant that the others need; see suspension.test.ts',
  restoreOrganization: 'takes the link of a mail; see suspension.test.ts',
  revokeSession: "takes one of the caller's own sessions; see the outbox test",
};

/** Mutations that succeed or not by what was tried beside them. */
const sometimes: Record<string, string> = {
  cancelSubscription: 'takes a subscription, which one of the two may have by then; see test/billing',
  rejectPartner: 'takes a registration that was not decided yet; see partners.test.ts',
  disconnectProvider: 'is refused while servers are there; see test/hosting',
  reportDeparture: 'takes a node that is still enrolled and has beaten; see departure.test.ts',
};

/** Values that the rules of the generator would get wrong. */
const values: Record<string, unknown> = {
  'AcknowledgeAlertsInput.filter': {},
  'AlertRuleOverrideInput.isEnabled': true,
  'InviteMemberInput.email': 'somebody@example.com',
  'CreateApiKeyInput.permissions': ['fleet.instance.read'],
  'CreateMspClientInput.contactEmail': 'owner@client.example',
  'CreateMspClientInput.instanceLimit': 1,
  'CreateTenantInput.ownerEmail': 'owner@made.example',
  'GrantDelegationInput.role': 'VIEWER',
  'GrantDelegationInput.expiresInHours': 1,
  'CreateEmailChannelInput.recipients': ['ops@example.com'],
  'CreateWebhookChannelInput.url': 'https://127.0.0.1/panel',
  'CreateInstanceGroupInput.kind': 'STATIC',
  'SilenceMatcherInput.field': 'INSTANCE_NAME',
  'SilenceMatcherInput.operator': 'EQUALS',
};

/** Those, what has to fit together or to the moment, and the secrets that the tenant was given elsewhere. */
function valuesFor(scene: Scene): Record<string, unknown> {
  return {
    ...scene.values,
    ...values,
    'CreateInstanceGroupInput.instanceIds': [scene.node.id],
    'UpdateInstanceGroupInput.instanceIds': [scene.node.id],
    'SendCommandInput.instanceIds': [scene.node.id],
    'ExchangeAuthorizationCodeInput.redirectUri': redirectUri(scene.word),
    'CreateSilenceInput.endsAt': new Date(panel.clock.now().getTime() + 3_600_000).toISOString(),
    ...(scene instanceof RichScene ? scene.secrets : {}),
  };
}

/** With a group go its windows, and the users of a scene come by the session of its owner. */
const lastOfAll = ['deleteInstanceGroup', 'refreshSession', 'resetPassword'];

/** Names the things of the scene that are of the kind that is wanted, where it has others beside them. */
async function withIds(declared: readonly Declared[]): Promise<readonly Declared[]> {
  const idOf = async (sql: string) => (await panel.sql<{ id: string }>(sql, [rich.tenant.id]))[0]?.id;
  rich.values['Mutation.revokeInvitation.id'] = await idOf(
    'select id from identity.invitation where tenant_id = $1 and accepted_at is null',
  );
  const webhook = { name: 'Webhook', url: values['CreateWebhookChannelInput.url'] };
  await rich.tenant.graphql(
    'mutation($input: CreateWebhookChannelInput!) { createWebhookChannel(input: $input) { __typename } }',
    { input: webhook },
  );
  rich.values['RotateWebhookSecretInput.id'] = await idOf(
    `select id from fleet.notification_channel where tenant_id = $1 and kind = 'WEBHOOK'`,
  );
  return declared;
}

const schema = buildSchema(readFileSync(assetPath('schema', 'api.graphql'), 'utf8'));
const mutations = Object.keys(schema.getMutationType()!.getFields());

let panel: TestPanel;
let rich: RichScene;
beforeAll(async () => {
  panel = await startTestPanel({ ALLOW_PRIVATE_TARGETS: '127.0.0.0/8' });
  rich = await RichScene.rich(panel);
});
afterAll(async () => panel.stop());

test('only telemetry and exchanges are left out of the trail', async () => {
  const subgraphs = await createSubgraphs({
    names: areaNames,
    databaseUrls: { url: 'postgresql://nobody@127.0.0.1:1/none' },
    keyring: new Keyring([Buffer.alloc(32)]),
    clock: panel.clock,
    logger: silentLogger,
    publicUrl: 'http://panel.test',
    nodeName: 'asked-directly',
    settings: areaSettings({}),
  });
  const left = subgraphs.all.flatMap((subgraph) =>
    Object.values(subgraph.schema.getMutationType()?.getFields() ?? {})
      .filter(({ extensions }) => extensions['audit'] === false)
      .map(({ name }) => name),
  );
  await subgraphs.stop();
  expect(left.toSorted()).toEqual(Object.keys(unaudited).toSorted());
});

test('every mutation that succeeds leaves an entry in the trail of its tenant', async () => {
  const target = panelTarget(panel.panel.url, schema);
  const permissions = permissionsOf(matrix);
  const succeeded = new Set<string>();
  const declared = declaredIn(target, matrix).filter(
    ({ root, row }) => root.kind === 'mutation' && !row.includes('#') && !(root.field.name in unaudited),
  );
  // What takes things away comes last: the others need them.
  const takesAway =
    /^(cancel|decommission|delete|expire|reject|remove|resolve|restore|revoke|suspend|rotateWebhook)/;
  const isLast = ({ root: { field } }: Declared) =>
    takesAway.test(field.name) || lastOfAll.includes(field.name);
  /** Of a tenant that has little, beside the one that has everything. */
  let ordinary: Promise<Scene> | undefined;
  const tried = async (one: Declared): Promise<Finding[]> => {
    const { name } = one.root.field;
    const caller = one.access.callers[0]!;
    const attempt = async (scene: Scene): Promise<boolean> => {
      const source = { id: (noun: string) => scene.id(noun), values: valuesFor(scene) };
      const args = tryArguments(one, source, 'required');
      if (isFinding(args)) throw new Error(args.problem);
      const isPublic = lastOfAll.includes(name) && one.access.permission === undefined;
      const token = isPublic
        ? undefined
        : await scene.token(caller, one.access.permission, permissions, true);
      const answer = await target.ask(callOf(one.root, args, leastOf(one.root.field.type)), token);
      return answer.code === undefined;
    };
    const scene = await (ordinary ??= Scene.make(panel, rich));
    if (!(await attempt(scene)) && !(await attempt(rich))) return [];
    succeeded.add(name);
    const entries = async () =>
      panel.sql(
        `select 1 from identity.audit_event where action = $1 and recorded_at >= $2
           and (tenant_id in ($3, $4) or $1 in ('register', 'createTenant'))`,
        [name, panel.clock.now(), scene.tenant.id, rich.tenant.id],
      );
    await until(async () => (await entries()).length > 0, `${name} in the trail`, 45_000).catch(
      () => undefined,
    );
    return (await entries()).length > 0 ? [] : [{ where: name, caller, problem: 'left no entry' }];
  };
  const lastOnes = declared
    .filter(isLast)
    .toSorted((a, b) => lastOfAll.indexOf(a.root.field.name) - lastOfAll.indexOf(b.root.field.name));
  const missing = [
    ...(await inTurns(
      declared.filter((one) => !isLast(one)),
      tried,
    )),
    ...(await inTurns(await withIds(lastOnes), tried, 1)),
  ];
  expect(missing).toEqual([]);
  // What brought the scene about is in its trail as well.
  for (const { action } of await panel.sql<{ action: string }>(
    `select distinct action from identity.audit_event where tenant_id = $1 and category = 'MUTATION'`,
    [rich.tenant.id],
  )) {
    succeeded.add(action);
  }
  const untried = mutations.filter(
    (name) => !succeeded.has(name) && !(name in unaudited) && !(name in sometimes),
  );
  expect(untried.toSorted()).toEqual(Object.keys(outOfReach).toSorted());
}, 300_000);
