import { readFileSync } from 'node:fs';

import { buildSchema } from 'graphql';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { panelOptions } from '#panel/run.js';
import { createSubgraphs, subgraphNames } from '#panel/subgraphs.js';
import { silentLogger } from '#platform/logger.js';
import { assetPath } from '#platform/package-root.js';
import { Keyring } from '#platform/secrets/keyring.js';

import { declaredIn, isFinding, tryArguments, type Declared } from '../../security/check-roles.js';
import { inTurns, type Finding } from '../../security/findings.js';
import { matrix, permissionsOf } from '../../security/matrix.js';
import { callOf, leastOf } from '../../security/operations.js';
import { RichScene } from '../../security/rich-scene.js';
import { Scene } from '../../security/scene.js';
import { panelTarget } from '../../security/target.js';
import { startTestPanel, type TestPanel } from '../../support/panel.js';
import { until } from '../../support/world.js';

/** Mutations that leave no entry, each with why. */
const unaudited: Record<string, string> = {
  reportHeartbeat: 'telemetry, which would drown the trail',
  reportCommandResult: "a node's answer; the command it belongs to is in the trail",
  exchangeApiKey: 'nothing changes; what the key does afterwards is in the trail',
};

/**
 * Mutations that generated arguments can not bring to succeed: they take a secret that was given out elsewhere, or keep
 * rules between their fields. They are audited by the same middleware; a new one belongs into `values` if it can be.
 */
const outOfReach = [
  'createEmailChannel',
  'createInstanceGroup',
  'createSilence',
  'createWebhookChannel',
  'deleteMaintenanceWindow',
  'disableTotp',
  'enrollInstance',
  'revokeSession',
  'rotateWebhookSecret',
  'sendCommand',
  'updateInstanceGroup',
  'acceptInvitation',
  'actInTenant',
  'completeSetup',
  'confirmNotificationAddress',
  'decideAuthorization',
  'exchangeAuthorizationCode',
  'login',
  'redeemImpersonation',
  'refreshSession',
  'resetPassword',
  'verifyEmail',
  'verifyTotp',
];

/** Values that the rules of the generator would get wrong. */
const values: Record<string, unknown> = {
  'InviteMemberInput.email': 'somebody@example.com',
  'CreateApiKeyInput.permissions': ['fleet.instance.read'],
  'CreateMspClientInput.contactEmail': 'owner@client.example',
  'CreateMspClientInput.instanceLimit': 1,
  'GrantDelegationInput.role': 'VIEWER',
  'GrantDelegationInput.expiresInHours': 1,
};

const schema = buildSchema(readFileSync(assetPath('schema', 'api.graphql'), 'utf8'));
const mutations = Object.keys(schema.getMutationType()!.getFields());

let panel: TestPanel;
let rich: RichScene;
beforeAll(async () => {
  panel = await startTestPanel();
  rich = await RichScene.rich(panel);
});
afterAll(async () => panel.stop());

test('only telemetry and exchanges are left out of the trail', async () => {
  const { fleet, identity } = panelOptions({});
  const subgraphs = await createSubgraphs({
    names: subgraphNames,
    databaseUrl: 'postgresql://nobody@127.0.0.1:1/none',
    keyring: new Keyring([Buffer.alloc(32)]),
    clock: panel.clock,
    logger: silentLogger,
    publicUrl: 'http://panel.test',
    nodeName: 'asked-directly',
    fleet,
    identity,
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
  const tried = async (one: Declared): Promise<Finding[]> => {
    const { name } = one.root.field;
    const caller = one.access.callers[0]!;
    const attempt = async (scene: Scene): Promise<boolean> => {
      const source = { id: (noun: string) => scene.id(noun), values: { ...scene.values, ...values } };
      const args = tryArguments(one, source, 'required');
      if (isFinding(args)) throw new Error(args.problem);
      const token = await scene.token(caller, one.access.permission, permissions, true);
      const answer = await target.ask(callOf(one.root, args, leastOf(one.root.field.type)), token);
      return answer.code === undefined;
    };
    const scene = await Scene.make(panel, rich);
    if (!(await attempt(scene)) && !(await attempt(rich))) return [];
    succeeded.add(name);
    const entries = async () =>
      panel.sql(
        `select 1 from identity.audit_event where action = $1 and recorded_at >= $2
           and (tenant_id in ($3, $4) or $1 = 'register')`,
        [name, panel.clock.now(), scene.tenant.id, rich.tenant.id],
      );
    await until(async () => (await entries()).length > 0, `${name} in the trail`).catch(() => undefined);
    return (await entries()).length > 0 ? [] : [{ where: name, caller, problem: 'left no entry' }];
  };
  // What takes things away comes last: the others need them.
  const takesAway = /^(cancel|decommission|delete|expire|remove|resolve|restore|revoke|suspend)/;
  const isLast = ({ root }: Declared) => takesAway.test(root.field.name);
  const missing = [
    ...(await inTurns(
      declared.filter((one) => !isLast(one)),
      tried,
    )),
    ...(await inTurns(declared.filter(isLast), tried, 1)),
  ];
  expect(missing).toEqual([]);
  const untried = mutations.filter((name) => !succeeded.has(name) && !(name in unaudited));
  expect(untried.filter((name) => !outOfReach.includes(name))).toEqual([]);
}, 120_000);
