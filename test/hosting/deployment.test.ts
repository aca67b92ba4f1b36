import { randomUUID } from 'node:crypto';

import { AppsV1Api, KubeConfig, PatchStrategy, setHeaderOptions } from '@kubernetes/client-node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import type { KubernetesSandbox } from '#sandbox/kubernetes/start.js';

import { manifest } from '../support/deployment-manifest.js';
import { hasKubectl, Kubectl } from '../support/kubectl.js';
import { Live } from '../support/live.js';
import { until, type Tenant } from '../support/world.js';
import { cluster, startKubernetesPanel, type KubernetesPanel } from './support/kubernetes-panel.js';

interface Body {
  id: string;
  name: string;
  image: string;
  replicas: number;
  ready_replicas: number;
  status: string;
  error?: string;
  details?: Record<string, unknown>;
}

interface View {
  status: string;
  reason: string | null;
  message: string | null;
  image: string;
  isManaged: boolean;
  availableReplicas: number;
  cluster: { name: string } | null;
}

let panel: KubernetesPanel;
let sandbox: KubernetesSandbox;
let tenant: Tenant;
let clusterId: string;
let apps: AppsV1Api;
beforeAll(async () => {
  panel = await startKubernetesPanel();
  sandbox = await panel.kubernetes();
  tenant = await panel.world.tenant();
  clusterId = await cluster(tenant, sandbox, { name: 'main' });
  await until(async () => sandbox.openWatches === 1, 'a watch');
  const config = new KubeConfig();
  config.loadFromString(sandbox.kubeconfig({ user: 'somebody', by: 'token' }));
  apps = config.makeApiClient(AppsV1Api);
});
afterAll(async () => panel.stop());

const create = async (name: string, more: Record<string, unknown> = {}) =>
  tenant.rest<Body>('/api/k8s/deployments', {
    body: { cluster_id: clusterId, name, image: 'nginx:1.27', ...more },
  });
const change = async (id: string, body: Record<string, unknown>) =>
  tenant.rest<Body>(`/api/k8s/deployments/${id}`, { method: 'PUT', body });
const viewOf = async (id: string): Promise<View> => {
  const { data, errors } = await tenant.graphql<{ deployment: View }>(
    'query($id: ID!) { deployment(id: $id) { status reason message image isManaged availableReplicas cluster { name } } }',
    { id },
  );
  if (errors) throw new Error(JSON.stringify(errors));
  return data!.deployment;
};
const reaches = async (id: string, status: string) =>
  panel.pass(async () => (await viewOf(id)).status === status, status);
const listed = async () => {
  const { body } = await tenant.rest<Body[]>('/api/k8s/deployments');
  return body.map(({ name, status }) => `${name} ${status}`);
};

describe('a deployment of the panel', () => {
  test('is applied for real, rolled out, changed and deleted, as the contract says', async () => {
    // One of its own at each try.
    const name = `web-${randomUUID().slice(0, 8)}`;
    await using live = new Live<{ deploymentChanged: { name: string; status: string } }>(
      panel.panel.url,
      tenant.token,
      'subscription { deploymentChanged { name status } }',
    );
    await live.opened();
    const made = await create(name, {
      replicas: 2,
      env: { GREETING: 'hello', KEY: 'a-secret-word' },
      ports: [80],
    });
    const { status: _status, ...body } = {
      id: expect.stringMatching(/^dep_/) as unknown as string,
      cluster_id: clusterId,
      namespace: 'default',
      name,
      image: 'nginx:1.27',
      replicas: 2,
      ready_replicas: 0,
      status: 'progressing',
      created_at: expect.stringMatching(/^\d{4}-.*Z$/) as unknown as string,
    };
    expect(made).toMatchObject({ status: 201, body: { ...body, status: 'progressing' } });
    expect(Object.keys(made.body)).toHaveLength(9);
    const { id } = made.body;
    expect(sandbox.deployment('default', name)?.spec).toMatchObject({
      template: {
        spec: {
          containers: [
            {
              name,
              env: [
                { name: 'GREETING', value: 'hello' },
                { name: 'KEY', value: 'a-secret-word' },
              ],
              ports: [{ containerPort: 80, protocol: 'TCP' }],
            },
          ],
        },
      },
    });
    expect(sandbox.deployment('default', name)?.metadata.managedFields?.[0]).toMatchObject({
      manager: 'quazzar-control-panel',
      operation: 'Apply',
    });
    await reaches(id, 'RUNNING');
    const path = `/api/k8s/deployments/${id}`;
    expect((await tenant.rest(path)).body).toEqual({ ...made.body, ready_replicas: 2, status: 'running' });
    expect((await tenant.rest<Body[]>(`/api/k8s/deployments?cluster_id=${clusterId}`)).body).toContainEqual(
      expect.objectContaining({ id, status: 'running' }),
    );
    expect((await tenant.rest('/api/k8s/deployments?cluster_id=k8s_none')).body).toEqual([]);
    const changed = await change(id, { image: 'nginx:1.28', replicas: 3 });
    expect(changed).toMatchObject({
      status: 200,
      body: { image: 'nginx:1.28', replicas: 3, status: 'progressing' },
    });
    await reaches(id, 'RUNNING');
    expect(sandbox.deployment('default', name)?.spec).toMatchObject({ replicas: 3 });
    expect(await change(id, { image: 'nginx:1.28' })).toMatchObject({
      status: 200,
      body: { status: 'running' },
    });
    const rows = await panel.sql<{ row: string }>(
      'select d::text as row from hosting.deployment d where id = $1',
      [id],
    );
    expect(rows[0]?.row).not.toContain('a-secret-word');
    expect((await change(id, { env: { KEY: 'a-secret-word' } })).status).toBe(200);
    expect(await panel.toldOf('createDeployment', 'updateDeployment')).not.toContain('a-secret-word');
    expect((await tenant.rest(path, { method: 'DELETE' })).status).toBe(204);
    await reaches(id, 'DELETED');
    expect(sandbox.deployment('default', name)).toBeUndefined();
    expect(await listed()).not.toContainEqual(expect.stringContaining(name));
    const told = () =>
      new Set(
        live.results.flatMap(({ data }) =>
          data?.deploymentChanged.name === name ? [data.deploymentChanged.status] : [],
        ),
      );
    await until(async () => told().has('DELETED'), 'the end to be told');
    expect(told()).toEqual(new Set(['PENDING', 'PROGRESSING', 'RUNNING', 'DELETING', 'DELETED']));
  });

  test.skipIf(!hasKubectl)('is what a current kubectl lists', async () => {
    await create('listed', { replicas: 2 });
    await panel.seconds(3);
    const kubectl = new Kubectl(sandbox.kubeconfig({ user: 'person' }));
    const { out } = await kubectl.run('get', 'deploy', 'listed', '--no-headers');
    kubectl.stop();
    expect(out).toMatch(/^listed +2\/2 +2 +2 +/);
  });

  test('is refused with words for each field, and nothing is left of it', async () => {
    const before = await listed();
    const bad = { name: 'Bad_Name', image: ' ', replicas: 5_000, env: { 'a b': 'c' }, ports: [0] };
    const { status, body } = await create('x', bad);
    expect({ status, fields: Object.keys(body.details ?? {}).toSorted() }).toEqual({
      status: 422,
      fields: ['env.a b', 'image', 'name', 'ports.0', 'replicas'],
    });
    expect(await create('lost', { namespace: 'nowhere' })).toMatchObject({
      status: 422,
      body: { details: { namespace: 'namespaces "nowhere" not found' } },
    });
    expect((await create('lost', { cluster_id: 'k8s_none' })).status).toBe(404);
    expect((await create('lost', { colour: 'red' })).status).toBe(422);
    const stranger = await panel.world.tenant();
    const foreign = await stranger.rest('/api/k8s/deployments', {
      body: { cluster_id: clusterId, name: 'lost', image: 'nginx:1' },
    });
    expect(foreign.status).toBe(404);
    expect(await listed()).toEqual(before);
  });

  test('whoever else owns a field is named with it, and loses it only when that is wanted', async () => {
    const { body } = await create('shared', { replicas: 2 });
    await apps.patchNamespacedDeployment(
      {
        name: 'shared',
        namespace: 'default',
        fieldManager: 'kubectl-set',
        body: { spec: { template: { spec: { containers: [{ name: 'shared', image: 'nginx:1.30' }] } } } },
      },
      setHeaderOptions('Content-Type', PatchStrategy.StrategicMergePatch),
    );
    const refused = await change(body.id, { image: 'nginx:1.31' });
    expect(refused).toMatchObject({
      status: 409,
      body: {
        details: {
          conflicts: [
            { manager: 'kubectl-set', field: '.spec.template.spec.containers[name="shared"].image' },
          ],
        },
      },
    });
    const { errors } = await tenant.graphql(
      'mutation($id: ID!) { updateDeployment(id: $id, input: { image: "nginx:1.31" }) { id } }',
      { id: body.id },
    );
    expect(errors?.[0]?.extensions).toMatchObject({ code: 'CONFLICT', reason: 'FIELD_CONFLICT' });
    expect(sandbox.deployment('default', 'shared')?.spec).toMatchObject({
      template: { spec: { containers: [{ image: 'nginx:1.30' }] } },
    });
    expect((await change(body.id, { image: 'nginx:1.31', takes_over: true })).status).toBe(200);
    expect((await change(body.id, { image: 'nginx:1.32' })).status).toBe(200);
  });

  test('whose rollout is stuck has failed with the reason once its deadline has passed, and runs again when it is mended', async () => {
    sandbox.breakImage('broken:1');
    const { body } = await create('stuck', { replicas: 1 });
    await reaches(body.id, 'RUNNING');
    await change(body.id, { image: 'broken:1' });
    await panel.clock.leap(605_000);
    await reaches(body.id, 'FAILED');
    expect(await viewOf(body.id)).toMatchObject({
      reason: 'PROGRESS_DEADLINE_EXCEEDED',
      message: expect.stringMatching(/has timed out progressing/) as unknown as string,
      cluster: { name: 'main' },
    });
    await change(body.id, { image: 'nginx:1.27' });
    await reaches(body.id, 'RUNNING');
  });

  test('whose answer was lost is applied once more, and is there once', async () => {
    sandbox.addFault({ kind: 'drop_before', method: 'PATCH', dryRun: true });
    expect(await create('unsure')).toMatchObject({ status: 503 });
    expect(await listed()).not.toContainEqual(expect.stringContaining('unsure'));
    sandbox.addFault({ kind: 'drop_after_commit', method: 'PATCH', dryRun: false });
    const { body, status } = await create('unsure');
    expect({ status, is: body.status }).toEqual({ status: 201, is: 'pending' });
    expect(await viewOf(body.id)).toMatchObject({ reason: 'CLUSTER_AWAY' });
    await reaches(body.id, 'RUNNING');
    expect(sandbox.deployment('default', 'unsure')?.metadata).toMatchObject({ generation: 1 });
    sandbox.addFault({ kind: 'error', reason: 'Forbidden', message: 'no', method: 'PATCH', dryRun: false });
    expect(await change(body.id, { replicas: 4 })).toMatchObject({ status: 409 });
    expect(await viewOf(body.id)).toMatchObject({ status: 'RUNNING' });
    expect((await tenant.rest<Body>(`/api/k8s/deployments/${body.id}`)).body.replicas).toBe(1);
  });
});

describe('what others made', () => {
  test('is shown as watches tell it, without a request for a list, and is left to them', async () => {
    await apps.createNamespacedDeployment({ namespace: 'default', body: manifest('theirs', 'theirs:1') });
    await panel.pass(async () => (await listed()).includes('theirs running'), 'theirs');
    const lists = () => JSON.stringify(sandbox.requests()['GET /apis/apps/v1/deployments']);
    const before = lists();
    for (let asked = 0; asked < 20; asked += 1) await listed();
    expect(lists()).toBe(before);
    const { body } = await tenant.rest<Body[]>('/api/k8s/deployments');
    const { id } = body.find(({ name }) => name === 'theirs')!;
    expect(await viewOf(id)).toMatchObject({ isManaged: false, image: 'theirs:1' });
    expect((await change(id, { replicas: 5 })).status).toBe(409);
    expect((await tenant.rest(`/api/k8s/deployments/${id}`, { method: 'DELETE' })).status).toBe(409);
    expect((await create('theirs')).status).toBe(409);
    await apps.deleteNamespacedDeployment({ name: 'theirs', namespace: 'default' });
    await panel.pass(async () => !(await listed()).some((each) => each.startsWith('theirs')), 'its end');
  });

  test('in the place of one of the panel is not deleted for it', async () => {
    const { body } = await create('replaced');
    await apps.deleteNamespacedDeployment({ name: 'replaced', namespace: 'default' });
    await apps.createNamespacedDeployment({ namespace: 'default', body: manifest('replaced', 'other:1') });
    const deleted = await tenant.rest(`/api/k8s/deployments/${body.id}`, { method: 'DELETE' });
    expect([404, 409]).toContain(deleted.status);
    await panel.pass(async () => (await viewOf(body.id)).status === 'DELETED', 'the end of the first');
    expect(sandbox.deployment('default', 'replaced')?.spec).toMatchObject({ replicas: 2 });
    await panel.pass(async () => (await listed()).includes('replaced running'), 'the other');
  });

  test('while a watch was away is found when it goes on, also when what it would go on from is forgotten', async () => {
    const make = async (name: string) =>
      apps.createNamespacedDeployment({ namespace: 'default', body: manifest(name, 'a:1') });
    await make('leaving');
    await panel.pass(async () => (await listed()).includes('leaving running'), 'it');
    sandbox.cutWatches();
    await make('meanwhile');
    await panel.pass(async () => (await listed()).includes('meanwhile running'), 'what came meanwhile');
    sandbox.cutWatches();
    await apps.deleteNamespacedDeployment({ name: 'leaving', namespace: 'default' });
    await make('later');
    sandbox.compact();
    await panel.pass(async () => (await listed()).includes('later running'), 'what came after');
    await panel.pass(
      async () => !(await listed()).some((each) => each.startsWith('leaving')),
      'the end of what left',
    );
    expect(await listed()).toContain('meanwhile running');
  });
});
