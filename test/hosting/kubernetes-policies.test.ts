import { afterAll, beforeAll, expect, test } from 'vitest';

import { dataOf } from '../support/answers.js';
import { until, type Tenant } from '../support/world.js';
import { cluster, signedIn, startKubernetesPanel, type KubernetesPanel } from './support/kubernetes-panel.js';

interface Scores {
  overallScore: number | null;
  violations: number;
  instances: number;
  clusters: number;
  inputs: { passedWeight: number; knownWeight: number };
  byInstance: { instance: { id: string }; score: number | null }[];
  byCluster: { cluster: { name: string }; score: number | null; violations: number }[];
}

interface ClusterResults {
  score: number | null;
  violations: number | null;
  policyResults:
    | {
        status: string;
        policy: { name: string } | null;
        evidence: { condition: string; actual: unknown } | null;
      }[]
    | null;
}

const timeout = 180_000;

let panel: KubernetesPanel;
beforeAll(async () => {
  panel = await startKubernetesPanel();
});
afterAll(async () => panel.stop());

const policy = async (tenant: Tenant, name: string, rule: object, more: Record<string, unknown> = {}) => {
  const body = {
    name,
    type: 'clusters',
    rule,
    enforcement: 'advisory',
    applies_to: 'all_instances',
    ...more,
  };
  const answer = await tenant.rest<{ id: string; details?: unknown }>('/api/governance/policies', { body });
  return { ...answer.body, httpStatus: answer.status };
};
const scoresOf = async (tenant: Tenant) =>
  dataOf(
    await tenant.graphql<{ scores: Scores }>(`{ scores {
      overallScore violations instances clusters inputs { passedWeight knownWeight }
      byInstance { instance { id } score } byCluster { cluster { name } score violations }
    } }`),
  ).scores;
const resultsOf = async (tenant: Tenant, id: string) =>
  dataOf(
    await tenant.graphql<{ cluster: ClusterResults }>(
      `query($id: ID!) { cluster(id: $id) {
        score violations policyResults { status policy { name } evidence { condition actual } }
      } }`,
      { id },
    ),
  ).cluster;
const statusOf = async (tenant: Tenant, id: string, name: string) =>
  (await resultsOf(tenant, id)).policyResults?.find(({ policy: of }) => of?.name === name)?.status;

test(
  'a mandatory policy refuses a deployment, and its change, by its image and by its cluster, and nothing is left of it',
  { timeout },
  async () => {
    const tenant = await panel.world.tenant();
    const sandbox = await panel.kubernetes();
    const clusterId = await cluster(tenant, sandbox, { tags: ['prod'] });
    const create = async (name: string, image: string) =>
      tenant.rest<{ id: string; error?: string; details?: Record<string, unknown> }>('/api/k8s/deployments', {
        body: { cluster_id: clusterId, name, image },
      });
    const enforcement = 'mandatory';
    const own = await policy(
      tenant,
      'Own images',
      { condition: 'deployment.image', operator: 'matches', value: '^ours/' },
      { enforcement, applies_to: { tags: ['prod'] } },
    );
    const refused = await create('web', 'theirs/web:1');
    expect(refused).toMatchObject({
      status: 409,
      body: {
        error:
          `The mandatory policy ${own.id} (Own images) does not let this be deployed: ` +
          'deployment.image is "theirs/web:1", and has to be matches "^ours/"',
        details: { policy: own.id, condition: 'deployment.image', actual: 'theirs/web:1' },
      },
    });
    expect(sandbox.deployment('default', 'web')).toBeUndefined();
    expect((await tenant.rest<unknown[]>('/api/k8s/deployments')).body).toEqual([]);
    const { status, body } = await create('web', 'ours/web:1');
    expect(status).toBe(201);
    const path = `/api/k8s/deployments/${body.id}`;
    const change = async (of: object) => tenant.rest(path, { method: 'PUT', body: of });
    expect((await change({ image: 'theirs/web:2' })).status).toBe(409);
    expect((await change({ replicas: 2 })).status).toBe(200);
    const version = await policy(
      tenant,
      'A newer version',
      { condition: 'cluster.version', operator: 'gte', value: '1.36' },
      { enforcement },
    );
    expect(await create('other', 'ours/other:1')).toMatchObject({
      status: 409,
      body: { details: { policy: version.id, condition: 'cluster.version', actual: '1.35' } },
    });
    // What is there already can be taken away.
    expect((await tenant.rest(path, { method: 'DELETE' })).status).toBe(204);
  },
);

test(
  'one score is of instances and clusters together, each by the policies that are about it',
  { timeout },
  async () => {
    const owner = await panel.world.tenant();
    const sandbox = await panel.kubernetes();
    const node = await owner.node();
    await node.beat({ facts: { backup: { encryption: true } } });
    const id = await cluster(owner, sandbox, {
      name: 'main',
      access: { by: 'token', user: 'u', forMs: 20 * 86_400_000 },
    });
    const rules = {
      Encrypted: { condition: 'backup.encryption', operator: 'equals', value: true },
      'All nodes': { condition: 'cluster.nodes_not_ready', operator: 'equals', value: 0 },
      'Credential lasts': {
        condition: 'cluster.credential_expires_at',
        operator: 'expires_after',
        value: '14d',
      },
    };
    for (const [name, rule] of Object.entries(rules)) await policy(owner, name, rule);
    await until(async () => (await scoresOf(owner)).inputs.knownWeight === 15, 'all to be judged');
    expect(await scoresOf(owner)).toEqual({
      overallScore: 100,
      violations: 0,
      instances: 1,
      clusters: 1,
      inputs: { passedWeight: 15, knownWeight: 15 },
      byInstance: [{ instance: { id: node.id }, score: 100 }],
      byCluster: [{ cluster: { name: 'main' }, score: 100, violations: 0 }],
    });
    sandbox.setNode({ name: 'worker-2', cpu: 4, memoryGb: 8, isReady: false, version: 'v1.35.2' });
    await panel.pass(async () => (await statusOf(owner, id, 'All nodes')) === 'FAIL', 'the node to count');
    expect(await resultsOf(owner, id)).toMatchObject({ score: 50, violations: 1 });
    expect((await resultsOf(owner, id)).policyResults).toContainEqual({
      status: 'FAIL',
      policy: { name: 'All nodes' },
      evidence: { condition: 'cluster.nodes_not_ready', actual: 1 },
    });
    expect(await scoresOf(owner)).toMatchObject({
      overallScore: 66,
      violations: 1,
      byInstance: [{ score: 100 }],
      byCluster: [{ score: 50, violations: 1 }],
    });
    // Nothing tells of it but time.
    await panel.clock.leap(7 * 86_400_000);
    const tenant = await signedIn(panel, owner);
    await panel.pass(
      async () => (await statusOf(tenant, id, 'Credential lasts')) === 'FAIL',
      'the end to be near',
    );
    expect((await tenant.rest(`/api/k8s/clusters/${id}`, { method: 'DELETE' })).status).toBe(204);
    await until(async () => (await scoresOf(tenant)).clusters === 0, 'the cluster to be forgotten');
    expect((await scoresOf(tenant)).byCluster).toEqual([]);
  },
);

test('a policy is about instances or about clusters, and of others nobody learns', { timeout }, async () => {
  const [tenant, stranger] = [await panel.world.tenant(), await panel.world.tenant()];
  const id = await cluster(tenant, await panel.kubernetes());
  const both = {
    operator: 'all',
    value: [
      { condition: 'cluster.nodes', operator: 'gte', value: 3 },
      { condition: 'os.name', operator: 'equals', value: 'Debian' },
    ],
  };
  expect((await policy(tenant, 'Both', both)).httpStatus).toBe(422);
  await policy(tenant, 'Three nodes', { condition: 'cluster.nodes', operator: 'gte', value: 3 });
  await policy(
    tenant,
    'Of another region',
    { condition: 'cluster.nodes', operator: 'gte', value: 5 },
    { applies_to: { tags: ['far'] } },
  );
  await until(async () => (await statusOf(tenant, id, 'Three nodes')) === 'PASS', 'it to be judged');
  expect((await resultsOf(tenant, id)).policyResults).toHaveLength(1);
  expect((await scoresOf(stranger)).byCluster).toEqual([]);
  const rest = await tenant.rest<{ by_instance: unknown[] }>('/api/governance/scores');
  expect(rest.body).toMatchObject({ overall_score: 100, by_instance: [] });
});
