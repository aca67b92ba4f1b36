import { randomBytes } from 'node:crypto';

import { AppsV1Api, KubeConfig, PatchStrategy, setHeaderOptions } from '@kubernetes/client-node';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import { Database } from '#platform/database/database.js';
import { silentLogger } from '#platform/logger.js';
import { Keyring } from '#platform/secrets/keyring.js';
import { reseal } from '#platform/secrets/reseal.job.js';
import type { KubernetesSandbox } from '#sandbox/kubernetes/start.js';
import { revisionsMigration } from '#subgraphs/hosting/migrations/060-revisions.js';
import { hostingSealedColumns } from '#subgraphs/hosting/sealed-columns.js';

import { dataOf, refusal, restTime } from '../support/answers.js';
import { manifest } from '../support/deployment-manifest.js';
import { HeldLock } from '../support/held-lock.js';
import { Live } from '../support/live.js';
import { testSecretsKey } from '../support/panel.js';
import { tokenInRole } from '../support/roles.js';
import { until, type Tenant } from '../support/world.js';
import { deploymentsAt } from './support/deployments.js';
import { cluster, startKubernetesPanel, type KubernetesPanel } from './support/kubernetes-panel.js';

interface Revision {
  revision: number;
  isWanted: boolean;
  changeCause: string | null;
  toRevision: number | null;
  image: string;
  replicas: number;
  changed: string[];
  createdAt: string | null;
  createdBy: string | null;
}

interface Template {
  metadata: { annotations?: Record<string, string> };
  spec: {
    containers: {
      image: string;
      env?: { name: string; value: string }[];
      ports?: { containerPort: number }[];
    }[];
  };
}

const timeout = 180_000;
const namespace = 'default';
/** How many revisions are kept beside the one that is wanted. */
const limit = 4;
const annotation = 'quazzar.cloud/restarted-at';

let panel: KubernetesPanel;
let tenant: Tenant;
let sandbox: KubernetesSandbox;
let clusterId: string;
let apps: AppsV1Api;
beforeAll(async () => {
  panel = await startKubernetesPanel({ REVISION_HISTORY_LIMIT: String(limit) });
});
afterAll(async () => panel.stop());
beforeEach(async () => {
  tenant = await panel.world.tenant();
  sandbox = await panel.kubernetes();
  clusterId = await cluster(tenant, sandbox, { tags: ['web'] });
  await panel.pass(() => sandbox.openWatches === 1, 'a watch');
  const config = new KubeConfig();
  config.loadFromString(sandbox.kubeconfig({ user: 'somebody', by: 'token' }));
  apps = config.makeApiClient(AppsV1Api);
});
afterEach(async () => panel.forget(clusterId));

const { put, remove, stateOf, reaches } = deploymentsAt(() => ({ panel, tenant, clusterId }));
const running = async (name: string, more: object = {}) => {
  const { body, status, text } = await tenant.rest<{ id: string }>('/api/k8s/deployments', {
    body: { cluster_id: clusterId, name, image: 'nginx:1', ...more },
  });
  if (status !== 201) throw new Error(`${status} ${text}`);
  await reaches(body.id, 'RUNNING');
  return body.id;
};
const changed = async (id: string, body: object) => {
  const { status, text } = await put(id, body);
  if (status !== 200) throw new Error(`${status} ${text}`);
  await reaches(id, 'RUNNING');
};
const restart = async (id: string, more: object = {}, by = tenant, token = by.token) =>
  by.world.graphql<{ restartDeployment: { id: string; status: string; revision: number } }>(
    'mutation($input: RestartDeploymentInput!) { restartDeployment(input: $input) { id status revision } }',
    { input: { id, ...more } },
    token,
  );
const rollBack = async (id: string, toRevision: number, more: object = {}, by = tenant, token = by.token) =>
  by.world.graphql<{ rollBackDeployment: { id: string; status: string; revision: number; image: string } }>(
    'mutation($input: RollBackDeploymentInput!) { rollBackDeployment(input: $input) { id status revision image } }',
    { input: { id, toRevision, ...more } },
    token,
  );
const pageOf = async (id: string, args: { first?: number; after?: string } = {}, token = tenant.token) =>
  tenant.world.graphql<{
    deploymentRevisions: {
      totalCount: number;
      pageInfo: { endCursor: string | null; hasNextPage: boolean };
      nodes: Revision[];
    };
  }>(
    `query($id: ID!, $first: Int, $after: String) { deploymentRevisions(deploymentId: $id, first: $first, after: $after) {
       totalCount pageInfo { endCursor hasNextPage }
       nodes { revision isWanted changeCause toRevision image replicas changed createdAt createdBy }
     } }`,
    { id, ...args },
    token,
  );
const history = async (id: string) => dataOf(await pageOf(id)).deploymentRevisions.nodes;
/** Each as its number, what it came about by, and its image. */
const told = async (id: string) =>
  (await history(id)).map(
    ({ revision, changeCause, image, isWanted }) =>
      `${revision} ${changeCause} ${image}${isWanted ? ' wanted' : ''}`,
  );
const templateOf = (name: string) =>
  (sandbox.deployment(namespace, name)?.spec as { template: Template } | undefined)?.template;
const environment = (name: string) =>
  Object.fromEntries(
    (templateOf(name)?.spec.containers[0]?.env ?? []).map((each) => [each.name, each.value]),
  );
const generation = (name: string) => sandbox.deployment(namespace, name)?.metadata.generation;
const podsOf = async (id: string) =>
  dataOf(
    await tenant.graphql<{ deploymentPods: { name: string }[] }>(
      'query($id: ID!) { deploymentPods(deploymentId: $id) { name } }',
      { id },
    ),
  ).deploymentPods.map(({ name }) => name);
const refused = {
  kind: 'error',
  reason: 'Forbidden',
  message: 'no',
  method: 'PATCH',
  dryRun: false,
} as const;
const byOthers = async (name: string, spec: object, fieldManager: string) =>
  apps.patchNamespacedDeployment(
    { name, namespace, fieldManager, body: { spec } },
    setHeaderOptions('Content-Type', PatchStrategy.StrategicMergePatch),
  );

describe('a restart', () => {
  test(
    'replaces the pods, is told, and stays what is wanted when something else is changed',
    { timeout },
    async () => {
      const id = await running('web', { replicas: 2 });
      const before = await podsOf(id);
      await using live = new Live<{ deploymentChanged: { status: string; revision: number } }>(
        panel.panel.url,
        tenant.token,
        'subscription($id: ID!) { deploymentChanged(deploymentId: $id) { status revision } }',
        { variables: { id } },
      );
      await live.opened();
      const at = restTime(panel.clock.now());
      expect(dataOf(await restart(id)).restartDeployment).toEqual({ id, status: 'PROGRESSING', revision: 2 });
      expect(templateOf('web')?.metadata.annotations).toEqual({ [annotation]: at });
      await reaches(id, 'RUNNING');
      const after = await podsOf(id);
      expect(after).toHaveLength(2);
      expect(after.filter((name) => before.includes(name))).toEqual([]);
      await until(
        () =>
          live.results.some(
            ({ data }) =>
              data?.deploymentChanged.status === 'RUNNING' && data.deploymentChanged.revision === 2,
          ),
        'the end of the restart to be told',
      );
      await changed(id, { replicas: 3 });
      expect(templateOf('web')?.metadata.annotations).toEqual({ [annotation]: at });
      expect(await podsOf(id)).toEqual(expect.arrayContaining(after));
      expect(await history(id)).toEqual([
        {
          revision: 2,
          isWanted: true,
          changeCause: 'RESTART',
          toRevision: null,
          image: 'nginx:1',
          replicas: 2,
          changed: ['restartedAt'],
          createdAt: expect.stringMatching(/^\d{4}-/) as unknown as string,
          createdBy: tenant.user.id,
        },
        expect.objectContaining({ revision: 1, isWanted: false, changeCause: 'CREATE', changed: [] }),
      ]);
      await panel.toldOf('restartDeployment');
      const [trail] = await panel.sql<{ changes: object }>(
        `select payload->'changes' as changes from hosting.outbox
         where payload->>'action' = 'restartDeployment' and payload->>'target' = $1`,
        [id],
      );
      expect(trail?.changes).toEqual({ name: 'web', restartedAt: at, takesOver: false, revision: 2 });
    },
  );

  test(
    'is done once for a key, anew for another, and is in no conflict with one by kubectl',
    { timeout },
    async () => {
      const id = await running('often');
      const [first, same] = [
        await restart(id, { idempotencyKey: 'one' }),
        await restart(id, { idempotencyKey: 'one' }),
      ];
      expect([first, same].map((answer) => dataOf(answer).restartDeployment.revision)).toEqual([2, 2]);
      await panel.clock.advance(2_000);
      expect(dataOf(await restart(id, { idempotencyKey: 'one' })).restartDeployment.revision).toBe(2);
      expect(refusal(await restart(id, { idempotencyKey: 'one', takesOver: true }))).toMatchObject({
        code: 'VALIDATION_FAILED',
        reason: 'IDEMPOTENCY_KEY_REUSED',
      });
      expect(generation('often')).toBe(2);
      expect(dataOf(await restart(id, { idempotencyKey: 'two' })).restartDeployment.revision).toBe(3);
      // Within the same second it is the same one.
      expect(dataOf(await restart(id)).restartDeployment.revision).toBe(3);
      expect(generation('often')).toBe(3);
      const annotations = { 'kubectl.kubernetes.io/restartedAt': restTime(panel.clock.now()) };
      await byOthers('often', { template: { metadata: { annotations } } }, 'kubectl-rollout');
      await panel.clock.advance(2_000);
      expect(dataOf(await restart(id)).restartDeployment.revision).toBe(4);
      expect(templateOf('often')?.metadata.annotations).toMatchObject(annotations);
    },
  );

  test('that its cluster refuses leaves nothing, and is tried again under its key', { timeout }, async () => {
    const id = await running('refused');
    sandbox.addFault(refused);
    const key = { idempotencyKey: 'again' };
    expect(refusal(await restart(id, key))).toMatchObject({ code: 'CONFLICT', reason: 'CLUSTER_REFUSED' });
    expect(await told(id)).toEqual(['1 CREATE nginx:1 wanted']);
    expect(await stateOf(id)).toMatchObject({ status: 'RUNNING' });
    expect(dataOf(await restart(id, key)).restartDeployment).toMatchObject({
      status: 'PROGRESSING',
      revision: 3,
    });
    expect(await told(id)).toEqual(['3 RESTART nginx:1 wanted', '1 CREATE nginx:1']);
  });

  test('is refused while the rollout is paused in the cluster, as kubectl does', { timeout }, async () => {
    const id = await running('paused');
    await byOthers('paused', { paused: true }, 'kubectl-rollout');
    for (const answer of [await restart(id), await rollBack(id, 1)])
      expect(refusal(answer)).toMatchObject({ code: 'CONFLICT', reason: 'PAUSED' });
    await byOthers('paused', { paused: false }, 'kubectl-rollout');
    expect(dataOf(await restart(id)).restartDeployment.revision).toBe(2);
  });
});

describe('a rollback', () => {
  test(
    'has image, variables and ports of then run again, and stays what is wanted; replicas stay too',
    { timeout },
    async () => {
      const id = await running('shop', { env: { MODE: 'first-word', OLD: 'kept-word' }, ports: [80] });
      await changed(id, { image: 'nginx:2', env: { MODE: 'second-word', NEW: 'other-word' } });
      await changed(id, { replicas: 3 });
      const answer = dataOf(await rollBack(id, 1)).rollBackDeployment;
      expect(answer).toEqual({ id, status: 'PROGRESSING', revision: 3, image: 'nginx:1' });
      await reaches(id, 'RUNNING');
      const isAsThen = () => {
        expect(environment('shop')).toEqual({ MODE: 'first-word', OLD: 'kept-word' });
        expect(templateOf('shop')?.spec.containers[0]).toMatchObject({
          image: 'nginx:1',
          ports: [{ containerPort: 80, protocol: 'TCP' }],
        });
      };
      isAsThen();
      expect(await stateOf(id)).toMatchObject({ image: 'nginx:1', replicas: 3 });
      // What is applied next does not undo it.
      await changed(id, { replicas: 4 });
      isAsThen();
      const revisions = await history(id);
      expect(
        revisions.map(({ revision, changed: of, toRevision }) => ({ revision, of, toRevision })),
      ).toEqual([
        { revision: 3, of: ['image', 'env.MODE', 'env.NEW', 'env.OLD'], toRevision: 1 },
        { revision: 2, of: ['image', 'env.MODE', 'env.NEW', 'env.OLD'], toRevision: null },
        { revision: 1, of: [], toRevision: null },
      ]);
      // The same again changes nothing.
      const before = generation('shop');
      expect(dataOf(await rollBack(id, 1)).rollBackDeployment).toMatchObject({
        status: 'RUNNING',
        revision: 3,
      });
      expect(dataOf(await rollBack(id, 3)).rollBackDeployment).toMatchObject({
        status: 'RUNNING',
        revision: 3,
      });
      expect(generation('shop')).toBe(before);
      expect(await history(id)).toEqual(revisions);
      const everywhere = JSON.stringify([
        revisions,
        await panel.toldOf('rollBackDeployment', 'updateDeployment'),
        await panel.sql('select r::text as row from hosting.deployment_revision r where deployment_id = $1', [
          id,
        ]),
      ]);
      expect(everywhere).not.toMatch(/(first|kept|second|other)-word/);
    },
  );

  test('undoes another one, and a restart is rolled back to as well', { timeout }, async () => {
    const id = await running('swing');
    await changed(id, { image: 'nginx:2' });
    dataOf(await rollBack(id, 1));
    dataOf(await rollBack(id, 2));
    await reaches(id, 'RUNNING');
    expect(templateOf('swing')?.spec.containers[0]?.image).toBe('nginx:2');
    dataOf(await restart(id));
    const { annotations } = templateOf('swing')!.metadata;
    dataOf(await rollBack(id, 4));
    expect(templateOf('swing')?.metadata.annotations).toBeUndefined();
    dataOf(await rollBack(id, 5));
    expect(templateOf('swing')?.metadata.annotations).toEqual(annotations);
  });

  test('is asked of policies by the image that it leads to', { timeout }, async () => {
    const id = await running('policed', { image: 'theirs/web:1' });
    await changed(id, { image: 'ours/web:1' });
    const { status } = await tenant.rest('/api/governance/policies', {
      body: {
        name: 'Own images',
        type: 'clusters',
        rule: { condition: 'deployment.image', operator: 'matches', value: '^ours/' },
        enforcement: 'mandatory',
        applies_to: { tags: ['web'] },
      },
    });
    expect(status).toBe(201);
    await panel.pass(
      async () => refusal(await rollBack(id, 1))['reason'] === 'POLICY_VIOLATION',
      'the policy to count',
    );
    expect(templateOf('policed')?.spec.containers[0]?.image).toBe('ours/web:1');
    expect(await told(id)).toEqual(['2 UPDATE ours/web:1 wanted', '1 CREATE theirs/web:1']);
  });

  test('takes nothing from others who own it unless that is wanted', { timeout }, async () => {
    const id = await running('shared');
    await changed(id, { image: 'nginx:2' });
    const containers = [{ name: 'shared', image: 'nginx:9' }];
    await byOthers('shared', { template: { spec: { containers } } }, 'kubectl-set');
    const conflict = {
      code: 'CONFLICT',
      reason: 'FIELD_CONFLICT',
      details: {
        conflicts: [{ manager: 'kubectl-set', field: '.spec.template.spec.containers[name="shared"].image' }],
      },
    };
    expect(refusal(await rollBack(id, 1))).toMatchObject(conflict);
    expect(refusal(await restart(id))).toMatchObject(conflict);
    expect(templateOf('shared')?.spec.containers[0]?.image).toBe('nginx:9');
    dataOf(await rollBack(id, 1, { takesOver: true }));
    expect(templateOf('shared')?.spec.containers[0]?.image).toBe('nginx:1');
    dataOf(await restart(id, { takesOver: true }));
  });
});

describe('both', () => {
  test(
    'are refused with words: what is not there, is not the panel’s, is of others, or may not be done',
    { timeout },
    async () => {
      const id = await running('own');
      expect(refusal(await rollBack(id, 0))).toMatchObject({
        code: 'VALIDATION_FAILED',
        details: { 'input.toRevision': 'Revisions are counted from 1 on' },
      });
      expect(refusal(await rollBack(id, 7))).toMatchObject({
        code: 'VALIDATION_FAILED',
        details: { 'input.toRevision': 'No revision 7 of it is kept' },
      });
      expect(refusal(await restart(id, { idempotencyKey: 'with a space' }))).toMatchObject({
        code: 'VALIDATION_FAILED',
        reason: 'IDEMPOTENCY_KEY_INVALID',
      });
      const stranger = await panel.world.tenant();
      for (const of of ['dep_none', id])
        for (const answer of [
          await restart(of, {}, stranger),
          await rollBack(of, 1, {}, stranger),
          await pageOf(of, {}, stranger.token),
        ])
          expect(refusal(answer)).toMatchObject({ code: 'NOT_FOUND' });
      await apps.createNamespacedDeployment({ namespace, body: manifest('theirs', 'a:1') });
      await panel.pass(
        async () => (await panel.sql(`select 1 from hosting.deployment where name = 'theirs'`)).length > 0,
        'theirs',
      );
      const [theirs] = await panel.sql<{ id: string }>(
        `select id from hosting.deployment where name = 'theirs'`,
      );
      for (const answer of [await restart(theirs!.id), await rollBack(theirs!.id, 1)])
        expect(refusal(answer)).toMatchObject({ code: 'CONFLICT', reason: 'NOT_MANAGED' });
      expect(await history(theirs!.id)).toEqual([]);
      await panel.sql(`update hosting.deployment set placement_id = 'plc_some' where id = $1`, [id]);
      for (const answer of [await restart(id), await rollBack(id, 1)])
        expect(refusal(answer)).toMatchObject({ code: 'CONFLICT', reason: 'PLACED' });
      await panel.sql('update hosting.deployment set placement_id = null where id = $1', [id]);
      expect(generation('own')).toBe(1);
      for (const role of ['VIEWER', 'BILLING'] as const) {
        const token = await tokenInRole(panel, tenant, role);
        for (const answer of [await restart(id, {}, tenant, token), await rollBack(id, 1, {}, tenant, token)])
          expect(refusal(answer)).toMatchObject({ code: 'FORBIDDEN' });
        expect(dataOf(await pageOf(id, {}, token)).deploymentRevisions.totalCount).toBe(1);
      }
      const operator = await tokenInRole(panel, tenant, 'OPERATOR');
      expect(dataOf(await restart(id, {}, tenant, operator)).restartDeployment.revision).toBe(2);
    },
  );

  test(
    'wait for no watch, which holds the cluster while it waits for the deployment',
    { timeout },
    async () => {
      const id = await running('watched');
      await using watch = await HeldLock.by(panel, 'select 1 from hosting.cluster where id = $1 for update', [
        clusterId,
      ]);
      expect(dataOf(await restart(id)).restartDeployment.revision).toBe(2);
      expect((await put(id, { image: 'nginx:2' })).status).toBe(200);
      expect(dataOf(await rollBack(id, 1)).rollBackDeployment.revision).toBe(4);
      await watch.release();
      await reaches(id, 'RUNNING');
    },
  );

  test(
    'leave nothing where the cluster is away, and are done once it is back where it went away over them',
    { timeout },
    async () => {
      const id = await running('away');
      await changed(id, { image: 'nginx:2' });
      sandbox.addFault({ kind: 'drop_before', method: 'PATCH', dryRun: true, next: 2 });
      for (const answer of [await restart(id), await rollBack(id, 1)])
        expect(refusal(answer)).toMatchObject({ code: 'UNAVAILABLE', reason: 'CLUSTER_AWAY' });
      expect(await told(id)).toEqual(['2 UPDATE nginx:2 wanted', '1 CREATE nginx:1']);
      expect(await stateOf(id)).toMatchObject({ status: 'RUNNING', image: 'nginx:2' });
      sandbox.addFault({ kind: 'drop_before', method: 'PATCH', dryRun: false });
      expect(dataOf(await rollBack(id, 1)).rollBackDeployment).toMatchObject({
        status: 'PENDING',
        revision: 3,
      });
      await reaches(id, 'RUNNING');
      expect(templateOf('away')?.spec.containers[0]?.image).toBe('nginx:1');
      const before = generation('away')!;
      sandbox.addFault({ kind: 'drop_after_commit', method: 'PATCH', dryRun: false });
      expect(dataOf(await restart(id)).restartDeployment).toMatchObject({ status: 'PENDING', revision: 4 });
      await reaches(id, 'RUNNING');
      expect(generation('away')).toBe(before + 1);
    },
  );

  test(
    'that a cluster refuses late are forgotten, and what it took last is wanted',
    { timeout },
    async () => {
      const id = await running('late');
      sandbox.addFault({ kind: 'drop_before', method: 'PATCH', dryRun: false });
      sandbox.addFault(refused);
      expect((await put(id, { image: 'nginx:2' })).body.status).toBe('pending');
      expect(await told(id)).toEqual(['2 UPDATE nginx:2 wanted', '1 CREATE nginx:1']);
      await reaches(id, 'FAILED');
      expect(await told(id)).toEqual(['1 CREATE nginx:1 wanted']);
      dataOf(await restart(id));
      await reaches(id, 'RUNNING');
      expect(await told(id)).toEqual(['3 RESTART nginx:1 wanted', '1 CREATE nginx:1']);
    },
  );
});

describe('the history', () => {
  test('keeps as many as it is set to, page by page, and ends with its deployment', { timeout }, async () => {
    const id = await running('long');
    for (let at = 2; at <= 7; at += 1) await changed(id, { image: `nginx:${at}` });
    expect(await told(id)).toEqual([
      '7 UPDATE nginx:7 wanted',
      '6 UPDATE nginx:6',
      '5 UPDATE nginx:5',
      '4 UPDATE nginx:4',
      '3 UPDATE nginx:3',
    ]);
    expect(await history(id)).toHaveLength(limit + 1);
    expect(refusal(await rollBack(id, 2))).toMatchObject({ code: 'VALIDATION_FAILED' });
    const pages: number[][] = [];
    for (let after: string | undefined, more = true; more;) {
      const { nodes, pageInfo, totalCount } = dataOf(
        await pageOf(id, { first: 2, ...(after ? { after } : {}) }),
      ).deploymentRevisions;
      expect(totalCount).toBe(limit + 1);
      pages.push(nodes.map(({ revision }) => revision));
      [after, more] = [pageInfo.endCursor ?? undefined, pageInfo.hasNextPage];
    }
    expect(pages).toEqual([[7, 6], [5, 4], [3]]);
    for (const args of [{ first: 0 }, { first: 10_000 }, { after: 'nonsense' }])
      expect(refusal(await pageOf(id, args))).toMatchObject({ code: 'BAD_REQUEST' });
    expect((await remove(id)).status).toBe(204);
    await reaches(id, 'DELETED');
    expect(await history(id)).toEqual([]);
    expect(
      await panel.sql('select 1 from hosting.deployment_revision where deployment_id = $1', [id]),
    ).toEqual([]);
  });

  test(
    'has what a version without revisions changed meanwhile, and of what was there before them the first',
    { timeout },
    async () => {
      const keyring = Keyring.parse(testSecretsKey);
      const byOlder = async (of: string, desired: object) =>
        panel.sql(`update hosting.deployment set sealed_desired = $2 where id = $1`, [
          of,
          keyring.seal(JSON.stringify(desired), of),
        ]);
      const first = { image: 'nginx:1', replicas: 1, env: { MODE: 'slow' }, ports: [] };
      const id = await running('older', { env: first.env });
      await byOlder(id, { ...first, image: 'nginx:2' });
      expect(await told(id)).toEqual(['1 CREATE nginx:1']);
      await changed(id, { image: 'nginx:3' });
      expect(await history(id)).toMatchObject([
        { revision: 3, changeCause: 'UPDATE', image: 'nginx:3', isWanted: true, changed: ['image'] },
        { revision: 2, changeCause: null, image: 'nginx:2', createdAt: null, createdBy: null },
        { revision: 1, changeCause: 'CREATE' },
      ]);
      dataOf(await rollBack(id, 2));
      expect(templateOf('older')?.spec.containers[0]?.image).toBe('nginx:2');

      // As it is where the step finds deployments.
      const found = await running('found', { env: first.env });
      await byOlder(found, first);
      await panel.sql('delete from hosting.deployment_revision');
      await panel.sql('update hosting.deployment set last_revision = 0');
      for (const statement of revisionsMigration.statements.filter((text) => /^(insert|update)/.test(text)))
        await panel.sql(statement);
      expect(await told(found)).toEqual(['1 null nginx:1 wanted']);
      await changed(found, { env: { MODE: 'fast' } });
      expect(await told(found)).toEqual(['2 UPDATE nginx:1 wanted', '1 null nginx:1']);
      dataOf(await rollBack(found, 1));
      expect(environment('found')).toEqual({ MODE: 'slow' });
    },
  );

  test('is sealed anew with another SECRETS_KEY, each revision of it', { timeout }, async () => {
    const id = await running('rotated', { env: { MODE: 'slow' } });
    await changed(id, { image: 'nginx:2' });
    await changed(id, { image: 'nginx:3' });
    const newKey = randomBytes(32).toString('base64');
    const database = await Database.open({
      area: 'hosting',
      url: panel.database.url,
      entities: [],
      poolSize: 2,
      logger: silentLogger,
    });
    const column = hostingSealedColumns.find(({ table }) => table === 'deployment_revision')!;
    // One at a time: it goes on behind the key of the one before.
    const { unreadable } = await reseal(database, Keyring.parse(`${newKey},${testSecretsKey}`), column, 1);
    await database.close();
    expect(unreadable).toEqual([]);
    const rows = await panel.sql<{ sealed: string }>(
      'select sealed_desired as sealed from hosting.deployment_revision where deployment_id = $1 order by revision',
      [id],
    );
    const only = Keyring.parse(newKey);
    expect(rows.map(({ sealed }) => (JSON.parse(only.open(sealed, id)) as { image: string }).image)).toEqual([
      'nginx:1',
      'nginx:2',
      'nginx:3',
    ]);
  });
});
