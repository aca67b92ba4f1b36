import type { AppsV1Api } from '@kubernetes/client-node';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import type { KubernetesSandbox } from '#sandbox/kubernetes/start.js';

import { dataOf, refusal, restTime } from '../support/answers.js';
import { Live } from '../support/live.js';
import { until, type Tenant } from '../support/world.js';
import { startKubernetesPanel, type KubernetesPanel } from './support/kubernetes-panel.js';
import { refused, rolloutsAt, watchedCluster } from './support/rollouts.js';

const timeout = 180_000;
const annotation = 'quazzar.cloud/restarted-at';

let panel: KubernetesPanel;
let tenant: Tenant;
let sandbox: KubernetesSandbox;
let clusterId: string;
let apps: AppsV1Api;
beforeAll(async () => {
  panel = await startKubernetesPanel();
});
afterAll(async () => panel.stop());
beforeEach(async () => {
  ({ tenant, sandbox, clusterId, apps } = await watchedCluster(panel));
});
afterEach(async () => panel.forget(clusterId));

const {
  stateOf,
  reaches,
  running,
  changed,
  restart,
  rollBack,
  history,
  told,
  templateOf,
  environment,
  generation,
  podsOf,
  byOthers,
} = rolloutsAt(() => ({ panel, tenant, clusterId, sandbox, apps }));

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
        async () =>
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
