import { afterAll, beforeAll, expect, test } from 'vitest';

import { dataOf, refusal } from '../support/answers.js';
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
    const tenant = await signedIn(owner);
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

test(
  'a mandatory policy about clusters has no say in what is done to instances, and is held against what a cluster lacks',
  { timeout },
  async () => {
    const tenant = await (await panel.world.tenant()).grantPlan('PRO');
    const clusterId = await cluster(tenant, await panel.kubernetes());
    const [node, other] = [await tenant.node(), await tenant.node()];
    const nodes = [node.id, other.id];
    for (const each of [node, other]) await each.beat({ facts: { backup: { encryption: true } } });
    await until(async () => {
      const sql = 'select 1 from governance.node where id = any($1) and reported_at is not null';
      return (await panel.sql(sql, [nodes])).length === 2;
    }, 'governance to know the nodes');
    const { id } = await policy(
      tenant,
      'Ends some day',
      { condition: 'cluster.credential_expires_at', operator: 'exists', value: true },
      { enforcement: 'mandatory' },
    );
    const change = { command: 'update', params: { version: '0.3.0' } };
    const begun = await tenant.rest('/api/governance/canary', {
      body: {
        ...change,
        name: 'C',
        steps: [{ percent: 100, bake_seconds: 0 }],
        applies_to: { instance_ids: [node.id] },
      },
    });
    expect(begun).toMatchObject({ status: 201 });
    const sent = await tenant.rest('/api/fleet/commands', {
      body: { ...change, instance_ids: [other.id] },
    });
    expect(sent).toMatchObject({ status: 201 });

    const create = async (name: string) =>
      tenant.rest('/api/k8s/deployments', { body: { cluster_id: clusterId, name, image: 'nginx:1' } });
    expect((await create('first')).status).toBe(201);
    await panel.sql('update hosting.cluster set credential_expires_at = null where id = $1', [clusterId]);
    expect(await create('second')).toMatchObject({
      status: 409,
      body: { details: { policy: id, condition: 'cluster.credential_expires_at', actual: null } },
    });
  },
);

test('a change of a group has clusters judged anew', { timeout }, async () => {
  const tenant = await panel.world.tenant();
  const id = await cluster(tenant, await panel.kubernetes(), { tags: ['prod'] });
  const change = async (mutation: string, type: string, input: object) =>
    dataOf(
      await tenant.graphql<Record<string, { id: string }>>(
        `mutation($input: ${type}!) { ${mutation}(input: $input) { id } }`,
        { input },
      ),
    )[mutation]!.id;
  const filter = { tags: ['prod'] };
  const group = await change('createInstanceGroup', 'CreateInstanceGroupInput', {
    name: 'Production',
    kind: 'LIVE',
    filter,
  });
  await until(
    async () =>
      (await panel.sql('select 1 from governance.instance_group where id = $1', [group])).length > 0,
    'governance to know the group',
  );
  const rule = { condition: 'cluster.nodes', operator: 'gte', value: 3 };
  await policy(tenant, 'Grouped', rule, { applies_to: { group_ids: [group] } });
  await until(async () => (await statusOf(tenant, id, 'Grouped')) === 'PASS', 'it to be judged');
  await change('updateInstanceGroup', 'UpdateInstanceGroupInput', { id: group, filter: { tags: ['none'] } });
  await panel.pass(
    async () => (await statusOf(tenant, id, 'Grouped')) === undefined,
    'it to be for the cluster no more',
  );
  expect((await resultsOf(tenant, id)).policyResults).toEqual([]);
});

test('what a cluster told is believed for a day after it went away', { timeout }, async () => {
  const owner = await panel.world.tenant();
  const sandbox = await panel.kubernetes();
  const id = await cluster(owner, sandbox);
  await policy(owner, 'Three nodes', { condition: 'cluster.nodes', operator: 'gte', value: 3 });
  await policy(owner, 'Answers', { condition: 'cluster.status', operator: 'equals', value: 'healthy' });
  sandbox.setAway(true);
  await panel.pass(async () => (await statusOf(owner, id, 'Answers')) === 'FAIL', 'it to be away');
  expect(await statusOf(owner, id, 'Three nodes')).toBe('PASS');
  await panel.clock.leap(86_400_000);
  const tenant = await signedIn(owner);
  await panel.pass(
    async () => (await statusOf(tenant, id, 'Three nodes')) === 'UNKNOWN',
    'the day to be over',
  );
  expect(await statusOf(tenant, id, 'Answers')).toBe('FAIL');
  sandbox.setAway(false);
  await panel.pass(
    async () => (await statusOf(tenant, id, 'Three nodes')) === 'PASS',
    'it to be there again',
  );
});

test('a preview of a policy about clusters is refused at its rule', { timeout }, async () => {
  const tenant = await panel.world.tenant();
  const rule = { condition: 'cluster.nodes', operator: 'gte', value: 3 };
  const preview = await tenant.graphql(
    'query($input: PreviewPolicyInput!) { previewPolicy(input: $input) { failing } }',
    { input: { rule } },
  );
  expect(refusal(preview)).toMatchObject({
    code: 'VALIDATION_FAILED',
    details: { 'input.rule': 'A preview is of instances, and this rule is about clusters' },
  });
});
