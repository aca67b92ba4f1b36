import { afterAll, beforeAll, expect, test } from 'vitest';

import type { KubernetesSandbox } from '#sandbox/kubernetes/start.js';

import { dataOf, refusal } from '../support/answers.js';
import { tokenInRole } from '../support/roles.js';
import { until, type Tenant } from '../support/world.js';
import { cluster, startKubernetesPanel, type KubernetesPanel } from './support/kubernetes-panel.js';

const clusters = '/api/k8s/clusters';
const deployments = '/api/k8s/deployments';

let panel: KubernetesPanel;
let tenant: Tenant;
let sandbox: KubernetesSandbox;
let clusterId: string;
let deploymentId: string;
let wish: Record<string, unknown>;
beforeAll(async () => {
  panel = await startKubernetesPanel();
  tenant = await panel.world.tenant();
  sandbox = await panel.kubernetes();
  clusterId = await cluster(tenant, sandbox, { name: 'first' });
  wish = { cluster_id: clusterId, name: 'web', image: 'nginx:1' };
  deploymentId = (await tenant.rest<{ id: string }>(deployments, { body: wish })).body.id;
  await until(async () => sandbox.openWatches === 1, 'a watch');
});
afterAll(async () => panel.stop());

/** Each route, with a body that would be taken where it takes one. */
const routes = (ids: { cluster: string; deployment: string }) =>
  [
    ['GET', clusters],
    ['POST', clusters, { name: 'x', provider: 'hetzner', region: 'eu', kubeconfig: sandbox.kubeconfig() }],
    ['GET', `${clusters}/${ids.cluster}`],
    ['PUT', `${clusters}/${ids.cluster}`, { region: 'eu' }],
    ['DELETE', `${clusters}/${ids.cluster}`],
    ['GET', deployments],
    ['POST', deployments, { ...wish, cluster_id: ids.cluster }],
    ['GET', `${deployments}/${ids.deployment}`],
    ['PUT', `${deployments}/${ids.deployment}`, { replicas: 2 }],
    ['DELETE', `${deployments}/${ids.deployment}`],
  ] as const;
const own = () => routes({ cluster: clusterId, deployment: deploymentId });
const asked = async (token: string | undefined, all: ReturnType<typeof routes>) => {
  const told: string[] = [];
  for (const [method, path, body] of all) {
    const answer = await panel.world.rest(path, { method, token, ...(body ? { body } : {}) });
    expect(answer.status < 300 || typeof answer.body['error'] === 'string').toBe(true);
    told.push(`${method} ${path.split('/')[3]}${path.split('/')[4] ? '/{id}' : ''} ${answer.status}`);
  }
  return told;
};
const each = (of: (method: string, isOne: boolean, kind: string) => number) =>
  own().map(([method, path]) => {
    const [, , , kind, id] = path.split('/') as [string, string, string, string, string?];
    return `${method} ${kind}${id ? '/{id}' : ''} ${of(method, id !== undefined, kind)}`;
  });

test('nobody is let in without a token, and whoever may only read does no more', async () => {
  expect(await asked(undefined, own())).toEqual(each(() => 401));
  const reader = await panel.world.tenant();
  const theirs = await panel.kubernetes();
  const id = await cluster(reader, theirs);
  const made = await reader.rest<{ id: string }>(deployments, { body: { ...wish, cluster_id: id } });
  const token = await tokenInRole(panel, reader, 'VIEWER');
  expect(await asked(token, routes({ cluster: id, deployment: made.body.id }))).toEqual(
    each((method) => (method === 'GET' ? 200 : 403)),
  );
});

test('what is of nobody, or of somebody else, is not there', async () => {
  const stranger = await panel.world.tenant();
  const isThere = (method: string, isOne: boolean, kind: string) =>
    isOne || (method === 'POST' && kind === 'deployments') ? 404 : method === 'POST' ? 201 : 200;
  expect(await asked(stranger.token, own())).toEqual(each(isThere));
  const nobody = routes({ cluster: 'k8s_none', deployment: 'dep_none' });
  // That one is registered here already.
  expect(await asked(tenant.token, nobody)).toEqual(
    each((...of) => (of[0] === 'POST' && of[2] === 'clusters' ? 409 : isThere(...of))),
  );
});

test('a body that is none, of a wrong type, or with what nobody knows is refused, and nothing changes', async () => {
  const before = [await tenant.rest(clusters), await tenant.rest(deployments)].map(({ text }) => text);
  for (const [method, path, body] of own()) {
    if (!body) continue;
    const put = async (rawBody: string, type = 'application/json') =>
      (await tenant.rest(path, { method, rawBody, headers: { 'content-type': type } })).status;
    const wrong = Object.keys(body)[0]!;
    expect([
      await put('{"'),
      await put('[]'),
      await put(JSON.stringify({ ...body, [wrong]: { no: 'text' } })),
      await put(JSON.stringify({ ...body, colour: 'red' })),
      await put(JSON.stringify(body), 'text/plain'),
    ]).toEqual([400, 400, 400, 422, 415]);
  }
  for (const [path, statuses] of [
    [`${clusters}?status=broken`, [400]],
    [`${deployments}?status=broken`, [400]],
    [`${clusters}?colour=red`, [200, 400]],
  ] as const)
    expect(statuses).toContain((await tenant.rest(path)).status);
  const after = [await tenant.rest(clusters), await tenant.rest(deployments)].map(({ text }) => text);
  expect(after).toEqual(before);
});

test('what is there already conflicts, and a cluster that is away is told as such', async () => {
  const again = await tenant.rest(deployments, { body: wish });
  expect([again.status, again.body]).toMatchObject([
    409,
    { error: expect.stringContaining('web') as string },
  ]);
  const away = await panel.kubernetes();
  const id = await cluster(tenant, away);
  const path = `${deployments}/${(await tenant.rest<{ id: string }>(deployments, { body: { ...wish, cluster_id: id } })).body.id}`;
  away.setAway(true);
  const statuses = [
    await tenant.rest(deployments, { body: { ...wish, cluster_id: id, name: 'other' } }),
    await tenant.rest(path, { method: 'PUT', body: { replicas: 2 } }),
    await tenant.rest(path, { method: 'DELETE' }),
    await tenant.rest(`${clusters}/${id}`, { method: 'PUT', body: { kubeconfig: away.kubeconfig() } }),
  ].map((answer) => [answer.status, answer.headers.get('retry-after') !== null]);
  expect(statuses).toEqual(Array.from({ length: 4 }, () => [503, true]));
  const removed = await tenant.rest(`${clusters}/${id}`, { method: 'DELETE' });
  expect([removed.status, removed.body]).toMatchObject([409, { details: { deployments: 1 } }]);
});

test('a deployment has one of its variables set or taken away while the others stay, and tells their names alone', async () => {
  const env = { GREETING: 'hello', KEY: 'a-sealed-word' };
  const body = { ...wish, name: 'variables', env, ports: [80, 443] };
  const { id } = (await tenant.rest<{ id: string }>(deployments, { body })).body;
  const set = async (input: Record<string, unknown>) =>
    tenant.graphql<{ updateDeployment: { envNames: string[]; ports: number[] } }>(
      'mutation($id: ID!, $input: UpdateDeploymentInput!) { updateDeployment(id: $id, input: $input) { envNames ports } }',
      { id, input },
    );
  const applied = () => {
    const spec = sandbox.deployment('default', 'variables')?.spec as
      | { template: { spec: { containers: { env: { name: string; value: string }[] }[] } } }
      | undefined;
    return spec?.template.spec.containers[0]?.env.map(({ name, value }) => `${name}=${value}`);
  };
  expect(dataOf(await set({ setEnv: { LEVEL: 'sealed-too' } })).updateDeployment).toEqual({
    envNames: ['GREETING', 'KEY', 'LEVEL'],
    ports: [80, 443],
  });
  expect(applied()).toEqual(['GREETING=hello', 'KEY=a-sealed-word', 'LEVEL=sealed-too']);
  const replaced = { setEnv: { GREETING: 'good day' }, removeEnv: ['LEVEL', 'NEVER'] };
  for (const repeated of [replaced, replaced])
    expect(dataOf(await set(repeated)).updateDeployment.envNames).toEqual(['GREETING', 'KEY']);
  expect(applied()).toEqual(['GREETING=good day', 'KEY=a-sealed-word']);
  expect(await panel.toldOf('updateDeployment')).not.toMatch(/sealed-word|sealed-too/);
  const many = Object.fromEntries(Array.from({ length: 99 }, (_, at) => [`V${at}`, '']));
  expect(refusal(await set({ setEnv: many }))).toMatchObject({
    details: { 'input.setEnv': 'With those that stay: At most 100 variables' },
  });
  expect(refusal(await set({ env: {}, setEnv: { A: '' }, removeEnv: ['A'] }))).toMatchObject({
    details: {
      'input.setEnv': 'It is not beside env, which says them all',
      'input.removeEnv': expect.any(String),
    },
  });
  expect(applied()).toEqual(['GREETING=good day', 'KEY=a-sealed-word']);
});
