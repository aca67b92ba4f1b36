import { AppsV1Api, KubeConfig } from '@kubernetes/client-node';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import type { KubernetesSandbox } from '#sandbox/kubernetes/start.js';

import { manifest } from '../support/deployment-manifest.js';
import { until, type Tenant } from '../support/world.js';
import { deploymentsAt } from './support/deployments.js';
import {
  cluster,
  clusterOf,
  registerOverRest,
  startKubernetesPanel,
  type KubernetesPanel,
} from './support/kubernetes-panel.js';

const timeout = 180_000;
const namespace = 'default';

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
  tenant = await panel.world.tenant();
  sandbox = await panel.kubernetes();
  clusterId = await cluster(tenant, sandbox);
  await watched();
  const config = new KubeConfig();
  config.loadFromString(sandbox.kubeconfig({ user: 'somebody', by: 'token' }));
  apps = config.makeApiClient(AppsV1Api);
});
afterEach(async () => panel.forget(clusterId));

const watched = async (of = sandbox) => panel.pass(() => of.openWatches === 1, 'a watch');
const make = async (name: string) =>
  apps.createNamespacedDeployment({ namespace, body: manifest(name, 'a:1') });
const { create, put, remove, stateOf, reaches, listed, isListed } = deploymentsAt(() => ({
  panel,
  tenant,
  clusterId,
}));
const running = async (name: string) => {
  const { id } = (await create(name)).body;
  await reaches(id, 'RUNNING');
  return id;
};
const imageIn = (of: KubernetesSandbox, name: string) => {
  const spec = of.deployment(namespace, name)?.spec as
    | { template: { spec: { containers: { image: string }[] } } }
    | undefined;
  return spec?.template.spec.containers[0]?.image;
};

describe('that something is not there', () => {
  test('only an API server can say, and not a proxy before it', { timeout }, async () => {
    const id = await running('proxied');
    const path = `/apis/apps/v1/namespaces/${namespace}/deployments/`;
    sandbox.addFault({ kind: 'proxy', method: 'GET', path });
    expect((await remove(id)).status).toBe(503);
    expect(await stateOf(id)).toMatchObject({ status: 'RUNNING', reason: null });
    sandbox.addFault({ kind: 'proxy', method: 'DELETE', path });
    expect((await remove(id)).status).toBe(204);
    expect(await stateOf(id)).toMatchObject({ status: 'DELETING', reason: 'CLUSTER_AWAY' });
    expect(sandbox.deployment(namespace, 'proxied')).toBeDefined();
    await reaches(id, 'DELETED');
    expect(sandbox.deployment(namespace, 'proxied')).toBeUndefined();
    await make('taken');
    sandbox.addFault({ kind: 'proxy', method: 'GET', path });
    expect((await create('taken')).status).toBe(503);
    expect((await create('taken')).status).toBe(409);
  });

  test(
    'is not taken from another cluster at the address, which nothing is applied to',
    { timeout },
    async () => {
      const id = await running('ours');
      sandbox.becomeAnother();
      expect((await put(id, { image: 'nginx:2' })).status).toBe(503);
      expect((await remove(id)).status).toBe(503);
      expect((await create('astray')).status).toBe(503);
      expect(imageIn(sandbox, 'ours')).toBe('nginx:1');
      expect(sandbox.deployment(namespace, 'astray')).toBeUndefined();
      expect(await listed()).toEqual(['ours running']);
    },
  );

  test('nor by what is tried once more: it waits for the cluster', { timeout }, async () => {
    const leaving = await running('leaving');
    sandbox.addFault({ kind: 'drop_before', method: 'DELETE' });
    expect((await remove(leaving)).status).toBe(204);
    sandbox.addFault({ kind: 'drop_before', method: 'PATCH', dryRun: false });
    const { body } = await create('coming');
    expect(body.status).toBe('pending');
    // The look that would notice it is late.
    sandbox.addFault({ kind: 'delay', delayMs: 5_000, path: '/readyz', next: 100 });
    sandbox.becomeAnother();
    await panel.sql(`update hosting.deployment set due_at = '2000-01-01' where id = any($1)`, [
      [leaving, body.id],
    ]);
    await panel.pass(async () => {
      const rows = await panel.sql(
        'select 1 from hosting.deployment where id = any($1) and failures >= 2 and due_at is not null',
        [[leaving, body.id]],
      );
      return rows.length === 2;
    }, 'both to be tried again');
    expect(sandbox.deployment(namespace, 'leaving')?.metadata.deletionTimestamp).toBeUndefined();
    expect(sandbox.deployment(namespace, 'leaving')).toBeDefined();
    expect(sandbox.deployment(namespace, 'coming')).toBeUndefined();
    expect(await stateOf(leaving)).toMatchObject({ status: 'DELETING', reason: 'CLUSTER_AWAY' });
    expect(await stateOf(body.id)).toMatchObject({ status: 'PENDING', reason: 'CLUSTER_AWAY' });
  });
});

test(
  'what a proxy refuses the cluster has not: a change goes on, an end too, and a kubeconfig is not to blame for it',
  { timeout },
  async () => {
    const id = await running('guarded');
    for (const [at, status] of [403, 409, 410, 422, 400].entries()) {
      const image = `nginx:1.${at}`;
      sandbox.addFault({ kind: 'proxy', status, method: 'PATCH', dryRun: false });
      expect((await put(id, { image })).body).toMatchObject({ status: 'pending', image });
      expect(await stateOf(id)).toMatchObject({ reason: 'CLUSTER_AWAY' });
      await reaches(id, 'RUNNING');
      expect(imageIn(sandbox, 'guarded')).toBe(image);
      sandbox.addFault({ kind: 'proxy', status, method: 'PATCH', dryRun: true });
      expect((await put(id, { image: 'nginx:9' })).status).toBe(503);
    }
    sandbox.addFault({ kind: 'proxy', status: 403, method: 'DELETE' });
    expect((await remove(id)).status).toBe(204);
    expect(await stateOf(id)).toMatchObject({ status: 'DELETING', reason: 'CLUSTER_AWAY' });
    await reaches(id, 'DELETED');
    // Some clusters keep /readyz to themselves, by whatever stands before them: the API tells.
    sandbox.addFault({ kind: 'proxy', status: 403, path: '/readyz', next: 100 });
    await panel.seconds(45);
    expect((await tenant.rest<{ status: string }>(`/api/k8s/clusters/${clusterId}`)).body.status).toBe(
      'healthy',
    );
    const other = await panel.kubernetes();
    other.addFault({ kind: 'proxy', status: 403, path: '/api/v1/namespaces/kube-system' });
    expect((await registerOverRest(tenant, other.kubeconfig())).body).toMatchObject({
      details: { kubeconfig: 'There is no Kubernetes API at its server' },
    });
  },
);

test(
  'a watch that tells something and then is too old is not listed for without end',
  { timeout },
  async () => {
    await make('mark');
    await panel.pass(isListed('mark running'), 'one');
    const { resourceVersion } = sandbox.deployment(namespace, 'mark')!.metadata;
    const asked = () => sandbox.requests()['GET /apis/apps/v1/deployments'] ?? 0;
    const before = asked();
    const telling = setInterval(() => {
      sandbox.tellWatches('BOOKMARK', {
        kind: 'Deployment',
        apiVersion: 'apps/v1',
        metadata: { resourceVersion },
      });
      sandbox.tellWatches('ERROR', { kind: 'Status', status: 'Failure', reason: 'Expired', code: 410 });
    }, 20);
    try {
      await new Promise((resolve) => setTimeout(resolve, 2_000));
      // Once at once, by a list and a watch; from then on it waits.
      expect(asked() - before).toBeGreaterThanOrEqual(2);
      expect(asked() - before).toBeLessThanOrEqual(4);
    } finally {
      clearInterval(telling);
    }
    await watched();
    await make('later');
    await panel.pass(isListed('later running'), 'what came after');
  },
);

test('where a webhook with effects takes no dry run it is applied without one', { timeout }, async () => {
  const fault = {
    kind: 'error',
    method: 'PATCH',
    dryRun: true,
    reason: 'BadRequest',
    message: 'admission webhook "quota.example.com" does not support dry run',
  } as const;
  sandbox.addFault(fault);
  const made = await create('watched-over');
  expect(made).toMatchObject({ status: 201, body: { status: 'progressing' } });
  sandbox.addFault(fault);
  expect(await put(made.body.id, { replicas: 2 })).toMatchObject({ status: 200, body: { replicas: 2 } });
  // Whatever else is bad about it is said of the dry run as before.
  sandbox.addFault({ ...fault, message: 'admission webhook "quota.example.com" denied the request: no' });
  expect((await put(made.body.id, { replicas: 3 })).status).toBe(422);
  expect(sandbox.deployment(namespace, 'watched-over')?.spec).toMatchObject({ replicas: 2 });
});

test('a cluster that was restored from a backup is seen as it is then', { timeout }, async () => {
  const kept = await running('kept');
  await make('theirs');
  await panel.pass(isListed('theirs running'), 'theirs');
  const restore = sandbox.backup();
  expect((await put(kept, { image: 'nginx:2' })).status).toBe(200);
  await reaches(kept, 'RUNNING');
  await make('after');
  await panel.pass(isListed('after running'), 'what came after');
  restore();
  await panel.pass(
    async () => !(await listed()).some((each) => each.startsWith('after')),
    'the end of what came after',
  );
  await panel.pass(async () => (await stateOf(kept)).image === 'nginx:1', 'the image of then');
  await apps.deleteNamespacedDeployment({ name: 'theirs', namespace });
  await panel.pass(async () => !(await listed()).some((each) => each.startsWith('theirs')), 'its end');
  expect(await listed()).toEqual(['kept running']);
});

test('a refused change leaves to be applied what was to be applied before', { timeout }, async () => {
  const id = await running('twice');
  sandbox.addFault({ kind: 'drop_before', method: 'PATCH', dryRun: false });
  expect((await put(id, { image: 'nginx:2' })).body.status).toBe('pending');
  sandbox.addFault({ kind: 'error', reason: 'Forbidden', message: 'no', method: 'PATCH', dryRun: false });
  expect((await put(id, { image: 'nginx:3' })).status).toBe(409);
  expect(await stateOf(id)).toMatchObject({ status: 'PENDING', image: 'nginx:2' });
  await reaches(id, 'RUNNING');
  expect(imageIn(sandbox, 'twice')).toBe('nginx:2');
});

test('whoever owns a field is named, whatever it is called', { timeout }, async () => {
  const { body } = await create('owned');
  sandbox.addFault({ kind: 'drop_before', method: 'PATCH', dryRun: false });
  expect((await put(body.id, { image: 'nginx:6' })).body.status).toBe('pending');
  await apps.patchNamespacedDeployment({
    name: 'owned',
    namespace,
    fieldManager: 'a\x7fb',
    body: [{ op: 'replace', path: '/spec/template/spec/containers/0/image', value: 'nginx:5' }],
  });
  await panel.pass(async () => (await stateOf(body.id)).status === 'FAILED', 'the refusal');
  expect(await stateOf(body.id)).toMatchObject({ reason: 'FIELD_CONFLICT' });
  expect(await put(body.id, { image: 'nginx:6' })).toMatchObject({
    status: 409,
    body: {
      details: {
        conflicts: [
          {
            manager: String.raw`a\x7fb`,
            field: '.spec.template.spec.containers[name="owned"].image',
          },
        ],
      },
    },
  });
});

test(
  'a cluster that tells more than is worth reading is not well, and is read again once it tells what it should',
  { timeout },
  async () => {
    const endless = (rest: object) =>
      JSON.stringify({ ...rest, more: Array.from({ length: 60_001 }, () => ({})) });
    const large = { kind: 'body', next: 1_000_000 } as const;
    sandbox.addFault({
      ...large,
      path: '/api/v1/namespaces/kube-system',
      body: endless({}),
    });
    await panel.pass(async () => (await clusterOf(tenant, clusterId)).status === 'DEGRADED', 'the look');
    expect(await clusterOf(tenant, clusterId)).toMatchObject({
      reason: 'NOT_READY',
      message: 'Its answer has more than 60000 values',
    });
    sandbox.clearFaults();
    await watched();
    await make('model');
    await panel.pass(isListed('model running'), 'one');
    const model = sandbox.deployment(namespace, 'model')!;
    const metadata = { ...model.metadata, name: 'endless', uid: 'endless' };
    const containers = Array.from({ length: 60_001 }, () => ({}));
    sandbox.tellWatches('MODIFIED', {
      ...model,
      metadata,
      spec: { template: { spec: { containers } } },
    } as never);
    await until(async () => sandbox.openWatches === 0, 'its watch to be given up');
    sandbox.compact();
    sandbox.addFault({ ...large, query: 'limit=500', body: endless({ metadata: {}, items: [] }) });
    await make('later');
    await panel.pass(isListed('later running'), 'what came after, in smaller pages');
    expect((await listed()).toSorted()).toEqual(['later running', 'model running']);
    await panel.pass(async () => (await clusterOf(tenant, clusterId)).status === 'HEALTHY', 'health');
  },
);
