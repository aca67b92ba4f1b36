import { AppsV1Api, KubeConfig } from '@kubernetes/client-node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import type { KubernetesSandbox } from '#sandbox/kubernetes/start.js';

import { manifest } from '../support/deployment-manifest.js';
import { until, type Tenant } from '../support/world.js';
import { deploymentsAt } from './support/deployments.js';
import { cluster, startKubernetesPanel, type KubernetesPanel } from './support/kubernetes-panel.js';

interface PodView {
  name: string;
  phase: string;
  isReady: boolean;
  restarts: number;
  reason: string | null;
  message: string | null;
  lastExitReason: string | null;
  lastExitCode: number | null;
  containers: string[];
  node: string | null;
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
  clusterId = await cluster(tenant, sandbox);
  await until(async () => sandbox.openWatches === 1, 'a watch');
  const config = new KubeConfig();
  config.loadFromString(sandbox.kubeconfig({ user: 'somebody', by: 'token' }));
  apps = config.makeApiClient(AppsV1Api);
});
afterAll(async () => panel.stop());

const { stateOf, reaches } = deploymentsAt(() => ({ panel, tenant, clusterId }));
const fields =
  'name phase isReady restarts reason message lastExitReason lastExitCode containers node createdAt';

const make = async (name: string, image: string, at = clusterId): Promise<string> => {
  const { status, body, text } = await tenant.rest<{ id: string }>('/api/k8s/deployments', {
    body: { cluster_id: at, name, image, replicas: 2 },
  });
  if (status !== 201) throw new Error(`${status} ${text}`);
  return body.id;
};
const podsOf = async (id: string, of = tenant) => {
  const { data, errors } = await of.graphql<{ deploymentPods: PodView[] }>(
    `query($id: ID!) { deploymentPods(deploymentId: $id) { ${fields} } }`,
    { id },
  );
  return { pods: data?.deploymentPods ?? [], refusal: errors?.[0] };
};
/** Pods of a deployment once it has two. */
const two = async (id: string): Promise<PodView[]> => {
  let pods: PodView[] = [];
  await panel.pass(async () => (pods = (await podsOf(id)).pods).length === 2, 'two pods');
  return pods;
};
const logOf = async (deploymentId: string, pod: string, more: Record<string, unknown> = {}, of = tenant) => {
  const { data, errors } = await of.graphql<{ podLog: { text: string; isCut: boolean } }>(
    'query($input: PodLogInput!) { podLog(input: $input) { text isCut } }',
    { input: { deploymentId, pod, ...more } },
  );
  return { log: data?.podLog, refusal: errors?.[0] };
};

describe('the pods of a deployment', () => {
  test('tell long before its deadline why it does not start, in the words of its cluster', async () => {
    sandbox.breakImage('absent:1');
    sandbox.breakImage('hungry:1', 'CrashLoopBackOff');
    sandbox.breakImage('huge:1', 'Unschedulable');
    sandbox.breakImage('unmigrated:1', 'InitError');
    const ids = await Promise.all(
      ['absent', 'hungry', 'huge', 'unmigrated'].map(async (name) => make(name, `${name}:1`)),
    );
    const [absent, hungry, huge, unmigrated] = await Promise.all(ids.map(two));
    const common = { isReady: false, containers: ['absent'], lastExitReason: null, lastExitCode: null };
    for (const pod of absent!)
      expect(pod).toMatchObject({
        ...common,
        phase: 'PENDING',
        restarts: 0,
        reason: 'ImagePullBackOff',
        message: 'Back-off pulling image "absent:1"',
        node: 'worker-1',
      });
    expect(hungry![0]).toMatchObject({
      phase: 'RUNNING',
      isReady: false,
      restarts: 4,
      reason: 'CrashLoopBackOff',
      lastExitReason: 'OOMKilled',
      lastExitCode: 137,
    });
    expect(huge![0]).toMatchObject({
      phase: 'PENDING',
      reason: 'Unschedulable',
      message: '0/3 nodes are available: 3 Insufficient memory.',
      node: null,
    });
    // What runs before the others keeps them waiting.
    expect(unmigrated![0]).toMatchObject({
      reason: 'Error',
      message: 'It ended with exit code 3',
      lastExitCode: 3,
    });
    expect(await stateOf(ids[0]!)).toMatchObject({ status: 'PROGRESSING' });
  });

  test('that are well tell no reason, and those that are not come first', async () => {
    const id = await make('well', 'well:1');
    await reaches(id, 'RUNNING');
    const pods = await two(id);
    for (const pod of pods)
      expect(pod).toMatchObject({
        phase: 'RUNNING',
        isReady: true,
        reason: null,
        message: null,
        restarts: 0,
      });
    sandbox.breakImage('worse:1');
    const { status } = await tenant.rest(`/api/k8s/deployments/${id}`, {
      method: 'PUT',
      body: { image: 'worse:1' },
    });
    expect(status).toBe(200);
    await panel.pass(async () => (await podsOf(id)).pods.length === 3, 'a pod of the new image');
    expect((await podsOf(id)).pods.map(({ isReady }) => isReady)).toEqual([false, true, true]);
  });

  test('of others are shown as well, by their own selector, and no others', async () => {
    const body = manifest('theirs', 'theirs:1');
    await apps.createNamespacedDeployment({ namespace: 'default', body });
    const row = async () =>
      (
        await tenant.graphql<{ deployments: { nodes: { id: string; name: string }[] } }>(
          '{ deployments(first: 100) { nodes { id name } } }',
        )
      ).data!.deployments.nodes.find(({ name }) => name === 'theirs');
    await panel.pass(async () => (await row()) !== undefined, 'their deployment');
    const pods = await two((await row())!.id);
    for (const { name, containers } of pods) {
      expect(name).toMatch(/^theirs-/);
      expect(containers).toEqual(['main']);
    }
  });

  test('are asked for in pages, and objects that are none are left out', async () => {
    const id = await make('many', 'many:1');
    await two(id);
    const good = {
      metadata: { name: 'good-1', creationTimestamp: '2026-01-01T00:00:00Z' },
      spec: { containers: [{ name: 'main' }] },
      status: { phase: 'Sleeping', reason: 'Evicted', message: 'The node was low on memory.' },
    };
    const list = {
      kind: 'PodList',
      metadata: { resourceVersion: '1' },
      items: [good, null, { metadata: {} }],
    };
    sandbox.addFault({
      kind: 'body',
      method: 'GET',
      path: '/api/v1/namespaces/default/pods',
      body: JSON.stringify(list),
    });
    const { pods } = await podsOf(id);
    expect(pods).toEqual([
      expect.objectContaining({
        name: 'good-1',
        phase: 'UNKNOWN',
        reason: 'Evicted',
        message: 'The node was low on memory.',
      }),
    ]);
  });

  test('are none of a deployment that was replaced or is gone, and are not shown to others', async () => {
    const id = await make('replaced', 'replaced:1');
    await two(id);
    const other = await panel.world.tenant();
    expect((await podsOf(id, other)).refusal).toMatchObject({ extensions: { code: 'NOT_FOUND' } });
    expect((await podsOf('dep_none')).refusal).toMatchObject({ extensions: { code: 'NOT_FOUND' } });
    await apps.deleteNamespacedDeployment({ namespace: 'default', name: 'replaced' });
    expect(await podsOf(id)).toEqual({ pods: [], refusal: undefined });
    await apps.createNamespacedDeployment({ namespace: 'default', body: manifest('replaced', 'a:1') });
    expect(await podsOf(id)).toEqual({ pods: [], refusal: undefined });
  });

  test('say why the cluster does not tell of them: its rights, or that it is away', async () => {
    const narrow = await panel.kubernetes();
    const rules = [
      { verbs: ['*'], resources: ['deployments'] },
      { verbs: ['get', 'list'], resources: ['nodes', 'namespaces'] },
    ];
    const at = await cluster(tenant, narrow, { access: { user: 'narrow', rules, by: 'token' } });
    const id = await make('hidden', 'hidden:1', at);
    const refused = { code: 'CONFLICT', reason: 'CLUSTER_REFUSED' };
    const { refusal } = await podsOf(id);
    expect(refusal).toMatchObject({ extensions: refused });
    expect(refusal?.message).toContain('pods');
    narrow.setAway(true);
    expect((await podsOf(id)).refusal).toMatchObject({
      extensions: { code: 'UNAVAILABLE', reason: 'CLUSTER_AWAY' },
    });
    narrow.setAway(false);
    narrow.becomeAnother();
    expect((await podsOf(id)).refusal).toMatchObject({ extensions: { code: 'UNAVAILABLE' } });
    await panel.forget(at);
  });
});

describe('the log of a pod', () => {
  test('is its last lines as text, also of before it was started anew', async () => {
    const id = await make('chatty', 'chatty:1');
    await reaches(id, 'RUNNING');
    const [pod] = await two(id);
    sandbox.writeLog('chatty:1', 'one\ntwo\n\u001b[31mthree\u0000\n', 'it died\n');
    expect(await logOf(id, pod!.name, { lines: 2 })).toEqual({
      log: { text: 'two\n[31mthree\n', isCut: false },
      refusal: undefined,
    });
    expect((await logOf(id, pod!.name, { container: 'chatty', previous: true })).log?.text).toBe('it died\n');
    sandbox.writeLog('chatty:1', `${'x'.repeat(300_000)}\n`);
    const { log } = await logOf(id, pod!.name);
    expect(log?.isCut).toBe(true);
    expect(log?.text).toHaveLength(256 * 1024);
    expect((await logOf(id, pod!.name, { previous: true })).refusal).toMatchObject({
      message: expect.stringContaining('not found'),
      extensions: { code: 'CONFLICT', reason: 'NO_LOG' },
    });
  });

  test('is refused with the field, of pods of other deployments, of others, and without the right', async () => {
    const [id, another] = await Promise.all([make('mine', 'mine:1'), make('beside', 'beside:1')]);
    const [[pod], [foreign]] = await Promise.all([two(id), two(another)]);
    const codeOf = async (...args: Parameters<typeof logOf>) => (await logOf(...args)).refusal?.extensions;
    for (const [more, field] of [
      [{ lines: 0 }, 'lines'],
      [{ lines: 2_001 }, 'lines'],
      [{ container: '../x' }, 'container'],
    ] as const)
      expect(await codeOf(id, pod!.name, more)).toMatchObject({
        code: 'VALIDATION_FAILED',
        details: { [`input.${field}`]: expect.any(String) },
      });
    expect(await codeOf(id, '../../secrets/x')).toMatchObject({
      details: { 'input.pod': expect.any(String) },
    });
    expect(await codeOf(id, foreign!.name)).toMatchObject({ code: 'NOT_FOUND' });
    expect(await codeOf('dep_none', pod!.name)).toMatchObject({ code: 'NOT_FOUND' });
    expect(await codeOf(id, pod!.name, {}, await panel.world.tenant())).toMatchObject({ code: 'NOT_FOUND' });
    expect(await codeOf(id, pod!.name, { container: 'none' })).toMatchObject({ reason: 'NO_LOG' });
  });
});
