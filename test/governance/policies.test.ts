import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { dataOf, refusal } from '../support/answers.js';
import { Live } from '../support/live.js';
import { startTestPanel, type TestPanel } from '../support/panel.js';
import { Tenant, until, type Node } from '../support/world.js';

let panel: TestPanel;
beforeAll(async () => {
  panel = await startTestPanel();
});
afterAll(async () => panel.stop());

const encrypted = { condition: 'backup.encryption', operator: 'equals', value: true };
/** The reference's own example. */
const example = {
  name: 'Require encrypted backups',
  type: 'backup',
  rule: encrypted,
  enforcement: 'mandatory',
  applies_to: 'all_instances',
};

interface Result {
  policyId: string;
  status: string;
  evidence: { condition: string; expected: unknown; actual: unknown } | null;
}

const instanceQuery = `query ($id: ID!) { instance(id: $id) {
  score violations policyResults { policyId status evidence { condition expected actual } }
} }`;

async function judged(
  tenant: Tenant,
  node: Node,
): Promise<{ score: number | null; violations: number | null; policyResults: Result[] | null }> {
  const answer = await tenant.graphql<{ instance: never }>(instanceQuery, { id: node.id });
  return dataOf(answer).instance;
}

/** Waits until what a node reported has come to governance. */
async function known(node: Node, path: string, value: unknown): Promise<void> {
  await until(
    async () => {
      const [row] = await panel.sql<{ facts: Record<string, unknown> }>(
        'select facts from governance.node where id = $1',
        [node.id],
      );
      return JSON.stringify(row?.facts[path]) === JSON.stringify(value);
    },
    `${path} of ${node.name} to be ${JSON.stringify(value)}`,
  );
}

async function nodeWith(tenant: Tenant, facts: Record<string, unknown>, name?: string): Promise<Node> {
  const node = await tenant.node(name);
  const answer = await node.beat({ facts });
  expect(answer.status).toBe(200);
  await until(async () => {
    const [row] = await panel.sql('select 1 from governance.node where id = $1 and reported_at is not null', [
      node.id,
    ]);
    return row !== undefined;
  }, 'governance to know the node');
  return node;
}

async function create(tenant: Tenant, input: Record<string, unknown>): Promise<string> {
  const answer = await tenant.graphql<{ createPolicy: { id: string } }>(
    'mutation ($input: CreatePolicyInput!) { createPolicy(input: $input) { id } }',
    { input },
  );
  return dataOf(answer).createPolicy.id;
}

/** With tokens of now. */
async function signedIn(tenant: Tenant): Promise<Tenant> {
  const { email, password } = tenant.account;
  return new Tenant(panel.world, tenant.account, (await panel.world.login(email, password)).body);
}

const scoresQuery = `{ scores {
  overallScore coverage violations instances inputs { passedWeight knownWeight applicableWeight }
  byInstance { instanceId name score coverage violations inputs { passedWeight knownWeight applicableWeight } instance { name } }
} }`;

describe('facts', () => {
  test('are kept with their time, shown as they came, and told once for each change', async () => {
    const tenant = await panel.world.tenant();
    const node = await nodeWith(tenant, { backup: { encryption: true } });
    const told = async () =>
      panel.sql(`select payload from fleet.outbox where topic = 'fleet.facts.changed' and entity_id = $1`, [
        node.id,
      ]);
    expect(await told()).toHaveLength(1);
    await node.beat({ facts: { backup: { encryption: true } } });
    await node.beat();
    expect(await told()).toHaveLength(1);
    await node.beat({ facts: { backup: { encryption: false } } });
    await node.beat({ version: '0.3.0' });
    expect((await told()).map(({ payload }) => [payload.facts, payload.version])).toEqual([
      [{ backup: { encryption: true } }, '0.2.9'],
      [{ backup: { encryption: false } }, '0.2.9'],
      [null, '0.3.0'],
    ]);
    await known(node, 'cloud_os.version', '0.3.0');
    await known(node, 'backup.encryption', false);
    const answer = await tenant.graphql<{ instance: object }>(
      'query ($id: ID!) { instance(id: $id) { facts factsReportedAt } }',
      { id: node.id },
    );
    expect(dataOf(answer).instance).toEqual({
      facts: { backup: { encryption: false } },
      factsReportedAt: panel.clock.now().toISOString(),
    });
  });

  test('are described: each with its type and the operators that compare it', async () => {
    const tenant = await panel.world.tenant();
    const answer = await tenant.graphql<{ factKinds: { version: number; facts: { path: string }[] } }>(
      '{ factKinds { version facts { path type unit source operators description } } }',
    );
    const { version, facts } = dataOf(answer).factKinds;
    expect(version).toBeGreaterThan(0);
    expect(facts.find(({ path }) => path === 'updates.pending_security')).toEqual({
      path: 'updates.pending_security',
      type: 'NUMBER',
      unit: 'updates',
      source: 'NODE',
      operators: ['equals', 'not_equals', 'in', 'not_in', 'gt', 'gte', 'lt', 'lte', 'exists'],
      description: 'Security updates that wait to be installed.',
    });
  });

  test('that only the panel can know are not taken from a node', async () => {
    const tenant = await panel.world.tenant();
    const node = await nodeWith(tenant, {
      'cloud_os.version': '9.9.9',
      instance: { tags: ['trusted'] },
      'action.kind': 'none',
      'disk.encryption': true,
    });
    const [row] = await panel.sql<{ facts: object }>('select facts from governance.node where id = $1', [
      node.id,
    ]);
    expect(row?.facts).toMatchObject({
      'cloud_os.version': '0.2.9',
      'instance.tags': [],
      'disk.encryption': true,
    });
    expect(row?.facts).not.toHaveProperty('action.kind');
  });
});

describe('a policy', () => {
  test("of the reference's example is made over REST, and moves the score as the formula says", async () => {
    const tenant = await panel.world.tenant();
    const [good, bad] = [
      await nodeWith(tenant, { 'backup.encryption': true }, 'production-01'),
      await nodeWith(tenant, { 'backup.encryption': false }, 'staging-01'),
    ];
    expect((await tenant.rest('/api/governance/scores')).body).toEqual({
      overall_score: null,
      by_instance: [
        { instance_id: good.id, name: 'production-01', score: null, violations: 0 },
        { instance_id: bad.id, name: 'staging-01', score: null, violations: 0 },
      ],
    });
    const made = await tenant.rest('/api/governance/policies', { body: example });
    expect([made.status, made.body]).toEqual([
      201,
      {
        id: expect.stringMatching(/^pol_/) as string,
        ...example,
        severity: 'medium',
        created_at: expect.any(String) as string,
        updated_at: expect.any(String) as string,
      },
    ]);
    await create(tenant, {
      name: 'A critical one',
      severity: 'CRITICAL',
      rule: { condition: 'cloud_os.version', operator: 'gte', value: '0.2' },
    });
    // 10 of 15 on the bad one: 66.
    expect((await tenant.rest('/api/governance/scores')).body).toEqual({
      overall_score: 83,
      by_instance: [
        { instance_id: good.id, name: 'production-01', score: 100, violations: 0 },
        { instance_id: bad.id, name: 'staging-01', score: 66, violations: 1 },
      ],
    });
    expect((await tenant.rest('/api/governance/policies')).body).toEqual([
      made.body,
      expect.objectContaining({ name: 'A critical one', enforcement: 'advisory' }),
    ]);
  });

  test('is changed and removed over REST, and its history stays', async () => {
    const tenant = await panel.world.tenant();
    const node = await nodeWith(tenant, { 'backup.encryption': false });
    const { body } = await tenant.rest<{ id: string }>('/api/governance/policies', { body: example });
    const path = `/api/governance/policies/${body.id}`;
    const changed = await tenant.rest(path, { method: 'PUT', body: { enforcement: 'disabled' } });
    expect([changed.status, changed.body]).toEqual([200, { ...body, enforcement: 'disabled' }]);
    expect(await judged(tenant, node)).toEqual({ score: null, violations: 0, policyResults: [] });
    const turned = await tenant.rest(path, {
      method: 'PUT',
      body: { rule: { ...encrypted, value: false }, enforcement: 'advisory', severity: 'low' },
    });
    expect(turned.body).toMatchObject({ rule: { ...encrypted, value: false }, severity: 'low' });
    expect(await judged(tenant, node)).toMatchObject({ score: 100, violations: 0 });
    expect((await tenant.rest(path, { method: 'DELETE' })).status).toBe(204);
    expect((await tenant.rest(path, { method: 'DELETE' })).status).toBe(404);
    expect((await tenant.rest('/api/governance/policies')).body).toEqual([]);
    const history = await tenant.graphql<{ policyHistory: object[] }>(
      `query ($id: ID!) { policyHistory(policyId: $id) { version enforcement isDeleted changedBy rule { value } } }`,
      { id: body.id },
    );
    const by = { changedBy: tenant.user.id };
    expect(dataOf(history).policyHistory).toEqual([
      { ...by, version: 4, enforcement: 'ADVISORY', isDeleted: true, rule: { value: false } },
      { ...by, version: 3, enforcement: 'ADVISORY', isDeleted: false, rule: { value: false } },
      { ...by, version: 2, enforcement: 'DISABLED', isDeleted: false, rule: { value: true } },
      { ...by, version: 1, enforcement: 'MANDATORY', isDeleted: false, rule: { value: true } },
    ]);
  });

  test('that cannot be judged is refused, with the place of each fault', async () => {
    const tenant = await panel.world.tenant();
    const refused = async (body: Record<string, unknown>) => {
      const answer = await tenant.rest('/api/governance/policies', { body: { ...example, ...body } });
      return [answer.status, answer.body['details'] ?? answer.body];
    };
    expect(await refused({ rule: { ...encrypted, condition: 'backup.encrypted' } })).toEqual([
      422,
      { 'rule.condition': 'There is no fact backup.encrypted; did you mean backup.encryption?' },
    ]);
    expect(await refused({ rule: { ...encrypted, value: 'yes' } })).toEqual([
      422,
      { 'rule.value': 'backup.encryption is true or false, and so must this be' },
    ]);
    expect(await refused({ rule: { ...encrypted, operator: 'gt' } })).toEqual([
      422,
      { 'rule.operator': 'gt cannot compare backup.encryption, which is true or false' },
    ]);
    const list = [
      encrypted,
      { condition: 'os.name', operator: 'matches', value: '(a+)+\\1' },
      { operator: 'any', value: [] },
    ];
    const [status, details] = await refused({ rule: { operator: 'all', value: list }, name: ' ' });
    expect([status, details]).toEqual([
      422,
      {
        name: 'Name is required',
        'rule.value.1.value': expect.stringContaining('This pattern cannot be used') as string,
        'rule.value.2.value': 'The value of any is a list of rules',
      },
    ]);
    let deep: object = encrypted;
    for (let level = 0; level < 12; level += 1) deep = { operator: 'all', value: [deep] };
    expect(await refused({ rule: deep })).toEqual([
      422,
      { [`rule${'.value.0'.repeat(8)}.value...`]: 'Rules must not be nested deeper than 10 levels' },
    ]);
    expect(await refused({ applies_to: 'everyone' })).toEqual([
      422,
      { applies_to: 'It is "all_instances", or an object with instance_ids or tags' },
    ]);
    expect(await refused({ applies_to: { instance_ids: ['inst_none'] } })).toEqual([
      422,
      { 'applies_to.instance_ids.0': 'There is no instance inst_none' },
    ]);
    expect(await refused({ rule: 'none' })).toEqual([400, { error: 'rule must be an object' }]);
    expect(await refused({ colour: 'red' })).toEqual([422, { colour: '"colour" is not a known field' }]);
    expect((await tenant.rest('/api/governance/policies')).body).toEqual([]);
  });

  test('is one of three without a plan that has governance, and has a name of its own', async () => {
    const tenant = await panel.world.tenant();
    for (const name of ['One', 'Two', 'Three']) await create(tenant, { name, rule: encrypted });
    const another = { ...example, name: 'Four' };
    expect((await tenant.rest('/api/governance/policies', { body: another })).status).toBe(403);
    await tenant.grantPlan('PRO');
    await until(
      async () => (await tenant.rest('/api/governance/policies', { body: another })).status === 201,
      'the plan to reach governance',
    );
    const taken = await tenant.rest('/api/governance/policies', { body: { ...example, name: 'one' } });
    expect([taken.status, taken.body]).toEqual([409, { error: 'There is a policy of this name already' }]);
  });

  test("of another tenant is not there, and another tenant's instances are not judged by it", async () => {
    const [acme, other] = [await panel.world.tenant(), await panel.world.tenant()];
    const node = await nodeWith(other, { 'backup.encryption': false });
    const id = await create(acme, { name: 'Ours', rule: encrypted });
    const path = `/api/governance/policies/${id}`;
    expect((await other.rest(path, { method: 'PUT', body: { name: 'Theirs' } })).status).toBe(404);
    expect((await other.rest(path, { method: 'DELETE' })).status).toBe(404);
    expect((await other.rest('/api/governance/policies')).body).toEqual([]);
    expect(await judged(other, node)).toEqual({ score: null, violations: 0, policyResults: [] });
    const scope = { instance_ids: [node.id] };
    const answer = await acme.rest('/api/governance/policies', {
      body: { ...example, applies_to: scope },
    });
    expect(answer.status).toBe(422);
  });

  test('is for those that it names: by id, by tags, and nobody else', async () => {
    const tenant = await panel.world.tenant();
    const [a, b] = [await nodeWith(tenant, { 'x.y': 1 }), await nodeWith(tenant, { 'x.y': 1 })];
    const byId = await create(tenant, { name: 'Id', rule: encrypted, appliesTo: { instance_ids: [a.id] } });
    const byTags = await create(tenant, {
      name: 'Tags',
      rule: encrypted,
      appliesTo: { tags: ['web', 'eu'] },
    });
    const tag = async (node: Node, tags: string[]) => {
      const input = { id: node.id, tags };
      dataOf(
        await tenant.graphql(
          'mutation ($input: UpdateInstanceInput!) { updateInstance(input: $input) { id } }',
          {
            input,
          },
        ),
      );
      await known(node, 'instance.tags', tags);
    };
    await tag(a, ['web']);
    await tag(b, ['eu', 'web', 'new']);
    const policiesOf = async (node: Node) =>
      (await judged(tenant, node)).policyResults?.map(({ policyId }) => policyId);
    expect(await policiesOf(a)).toEqual([byId]);
    expect(await policiesOf(b)).toEqual([byTags]);
    await tag(b, []);
    expect(await policiesOf(b)).toEqual([]);
  });

  test('comes in packs, each of which can be installed again', async () => {
    const tenant = await (await panel.world.tenant()).grantPlan('PRO');
    await until(async () => {
      const [row] = await panel.sql('select 1 from governance.entitlement where tenant_id = $1', [tenant.id]);
      return row !== undefined;
    }, 'the plan');
    const packs = dataOf(
      await tenant.graphql<{ policyPacks: { id: string; policyNames: string[] }[] }>(
        '{ policyPacks { id policyNames } }',
      ),
    ).policyPacks;
    const install = async (id: string) =>
      tenant.graphql<{ installPolicyPack: { name: string; enforcement: string }[] }>(
        'mutation ($id: ID!) { installPolicyPack(id: $id) { name enforcement } }',
        { id },
      );
    for (const { id, policyNames } of packs) {
      const made = dataOf(await install(id)).installPolicyPack;
      expect(made).toEqual(policyNames.map((name) => ({ name, enforcement: 'ADVISORY' })));
      expect(dataOf(await install(id)).installPolicyPack).toEqual([]);
    }
    expect(refusal(await install('none'))).toMatchObject({ code: 'NOT_FOUND' });
  });
});

describe('results', () => {
  test('say why, follow the facts of one node alone, and are unknown where nothing is known', async () => {
    const tenant = await panel.world.tenant();
    const [node, other] = [
      await nodeWith(tenant, { 'backup.encryption': 'yes' }),
      await nodeWith(tenant, { 'backup.encryption': true }),
    ];
    const policyId = await create(tenant, { name: 'P', rule: encrypted });
    const expected = { condition: 'backup.encryption', expected: true };
    expect(await judged(tenant, node)).toEqual({
      score: null,
      violations: 0,
      policyResults: [{ policyId, status: 'UNKNOWN', evidence: { ...expected, actual: 'yes' } }],
    });
    const stamp = async () => {
      const [row] = await panel.sql('select xmin::text from governance.node where id = $1', [other.id]);
      return row;
    };
    const before = await stamp();
    await node.beat({ facts: { 'backup.encryption': false } });
    await known(node, 'backup.encryption', false);
    expect(await judged(tenant, node)).toEqual({
      score: 0,
      violations: 1,
      policyResults: [{ policyId, status: 'FAIL', evidence: { ...expected, actual: false } }],
    });
    expect(await stamp()).toEqual(before);
    const page = await tenant.graphql<{ policyResults: { nodes: object[]; totalCount: number } }>(
      `query ($id: ID!) { policyResults(policyId: $id, status: FAIL) {
        nodes { status since policy { name counts { passing failing unknown exempt } } instance { name } } totalCount } }`,
      { id: policyId },
    );
    expect(dataOf(page).policyResults).toEqual({
      nodes: [
        {
          status: 'FAIL',
          since: expect.any(String) as string,
          policy: { name: 'P', counts: { passing: 1, failing: 1, unknown: 0, exempt: 0 } },
          instance: { name: node.name },
        },
      ],
      totalCount: 1,
    });
  });

  test('are exempt for a time, with an owner and a reason, and count for nothing meanwhile', async () => {
    const tenant = await panel.world.tenant();
    const node = await nodeWith(tenant, { 'backup.encryption': false });
    const policyId = await create(tenant, { name: 'P', rule: encrypted });
    const exempt = async (more: Record<string, unknown> = {}) =>
      tenant.graphql<{ createPolicyExemption: { id: string } }>(
        'mutation ($input: CreatePolicyExemptionInput!) { createPolicyExemption(input: $input) { id } }',
        { input: { policyId, instanceId: node.id, owner: 'ops', reason: 'moves next week', ...more } },
      );
    expect(refusal(await exempt({ owner: '', expiresAt: '2020-01-01T00:00:00Z', reason: ' ' }))).toEqual({
      code: 'VALIDATION_FAILED',
      details: {
        'input.owner': 'Owner is required',
        'input.reason': 'Reason is required',
        'input.expiresAt': 'Expires at must be in the future',
      },
    });
    expect(refusal(await exempt({ instanceId: 'inst_none' }))).toMatchObject({
      details: { 'input.instanceId': 'There is no instance inst_none' },
    });
    const soon = new Date(panel.clock.now().getTime() + 60_000).toISOString();
    const { id } = dataOf(await exempt({ expiresAt: soon })).createPolicyExemption;
    const isExempt = {
      score: null,
      violations: 0,
      policyResults: [{ policyId, status: 'EXEMPT', evidence: null }],
    };
    expect(await judged(tenant, node)).toEqual(isExempt);
    expect(refusal(await exempt())).toMatchObject({ code: 'CONFLICT', reason: 'ALREADY_EXEMPT' });
    await panel.clock.advance(61_000);
    await until(async () => (await judged(tenant, node)).violations === 1, 'the exemption to end');
    const again = dataOf(await exempt()).createPolicyExemption.id;
    expect(again).not.toBe(id);
    expect(await judged(tenant, node)).toEqual(isExempt);
    const end = 'mutation ($id: ID!) { deletePolicyExemption(id: $id) { reason instance { name } } }';
    expect(dataOf(await tenant.graphql(end, { id: again }))).toEqual({
      deletePolicyExemption: { reason: 'moves next week', instance: { name: node.name } },
    });
    expect(refusal(await tenant.graphql(end, { id: again }))).toMatchObject({ code: 'NOT_FOUND' });
    expect((await judged(tenant, node)).violations).toBe(1);
  });

  test('change with time alone: a backup grows old, and a silent node is not believed after a day', async () => {
    const tenant = await panel.world.tenant();
    const now = panel.clock.now();
    const node = await nodeWith(tenant, {
      'backup.last_success': new Date(now.getTime() - 47 * 3_600_000).toISOString(),
      'disk.encryption': true,
    });
    await create(tenant, {
      name: 'Recent',
      rule: { condition: 'backup.last_success', operator: 'newer_than', value: '2d' },
    });
    await create(tenant, { name: 'Disk', rule: { ...encrypted, condition: 'disk.encryption' } });
    expect(await judged(tenant, node)).toMatchObject({ score: 100, violations: 0 });
    await panel.clock.advance(3_700_000);
    const later = await signedIn(tenant);
    await until(async () => (await judged(later, node)).violations === 1, 'the backup to be too old');
    await until(async () => {
      const [row] = await panel.sql(
        'select 1 from governance.node where id = $1 and offline_since is not null',
        [node.id],
      );
      return row !== undefined;
    }, 'the node to be known as offline');
    await panel.clock.advance(25 * 3_600_000);
    const muchLater = await signedIn(tenant);
    await until(async () => (await judged(muchLater, node)).score === null, 'the node not to be believed');
    const { policyResults } = await judged(muchLater, node);
    expect(policyResults?.map(({ status }) => status)).toEqual(['UNKNOWN', 'UNKNOWN']);
    await node.beat();
    await until(async () => (await judged(muchLater, node)).score === 50, 'the node to be believed again');
  });
});

interface Weights {
  passedWeight: number;
  knownWeight: number;
  applicableWeight: number;
}

interface ShownScores {
  overallScore: number | null;
  coverage: number | null;
  violations: number;
  instances: number;
  inputs: Weights;
  byInstance: {
    instanceId: string;
    name: string;
    score: number | null;
    coverage: number | null;
    violations: number;
    inputs: Weights;
    instance: { name: string };
  }[];
}

const share = (part: number, whole: number) => (whole === 0 ? null : Math.floor((100 * part) / whole));

describe('scores', () => {
  test('of a fleet without instances or policies are null, not 100', async () => {
    const tenant = await panel.world.tenant();
    const nothing = { passedWeight: 0, knownWeight: 0, applicableWeight: 0 };
    const empty = {
      overallScore: null,
      coverage: null,
      violations: 0,
      instances: 0,
      inputs: nothing,
      byInstance: [],
    };
    const scores = async () => dataOf(await tenant.graphql<{ scores: ShownScores }>(scoresQuery)).scores;
    expect(await scores()).toEqual(empty);
    await create(tenant, { name: 'P', rule: encrypted });
    expect(await scores()).toEqual(empty);
    expect((await tenant.rest('/api/governance/scores')).body).toEqual({
      overall_score: null,
      by_instance: [],
    });
  });

  test('can be computed from the inputs that come with them, whatever holds where', async () => {
    const tenant = await (await panel.world.tenant()).grantPlan('PRO');
    const facts = ['backup.encryption', 'disk.encryption', 'firewall.enabled', 'time.synchronized'];
    const severities = ['CRITICAL', 'HIGH', 'MEDIUM', 'LOW'];
    for (const [at, condition] of facts.slice(0, 3).entries())
      await create(tenant, { name: condition, severity: severities[at], rule: { ...encrypted, condition } });
    await until(async () => {
      const answer = await tenant.rest('/api/governance/policies', {
        body: { ...example, name: facts[3], severity: 'low', rule: { ...encrypted, condition: facts[3] } },
      });
      return answer.status === 201;
    }, 'the plan');
    // Each fact true, false or not told, in as many ways as there are nodes.
    for (let each = 0; each < 7; each += 1) {
      const told = facts.map(
        (path, at) => [path, [true, false, undefined][(each * (at + 1) + at) % 3]] as const,
      );
      await nodeWith(tenant, Object.fromEntries(told.filter(([, value]) => value !== undefined)));
    }
    const scores = dataOf(await tenant.graphql<{ scores: ShownScores }>(scoresQuery)).scores;
    expect(scores.instances).toBe(7);
    const sum: Weights = { passedWeight: 0, knownWeight: 0, applicableWeight: 0 };
    for (const { score, coverage, inputs, name, instance } of scores.byInstance) {
      expect([score, coverage, name]).toEqual([
        share(inputs.passedWeight, inputs.knownWeight),
        share(inputs.knownWeight, inputs.applicableWeight),
        instance.name,
      ]);
      expect(inputs.applicableWeight).toBe(25);
      for (const key of Object.keys(sum) as (keyof Weights)[]) sum[key] += inputs[key];
    }
    expect(scores.inputs).toEqual(sum);
    expect(scores.overallScore).toBe(share(sum.passedWeight, sum.knownWeight));
    expect(scores.coverage).toBe(share(sum.knownWeight, sum.applicableWeight));
    expect(scores.violations).toBe(scores.byInstance.reduce((all, { violations }) => all + violations, 0));
    expect(new Set(scores.byInstance.map(({ score }) => score)).size).toBeGreaterThan(2);
  });

  test('are told live when they change, with any field of the instance, and not to other tenants', async () => {
    const [tenant, other] = [await panel.world.tenant(), await panel.world.tenant()];
    const node = await nodeWith(tenant, { 'backup.encryption': true });
    const query = 'subscription { scoreChanged { score violations name instance { hostname } } }';
    await using live = new Live(panel.panel.url, tenant.token, query);
    await using foreign = new Live(panel.panel.url, other.token, query);
    await live.opened();
    await foreign.opened();
    await create(tenant, { name: 'P', rule: encrypted });
    const about = { name: node.name, instance: { hostname: `${node.name}.example.com` } };
    await until(async () => live.results.length === 1, 'the first score');
    await node.beat({ facts: { 'backup.encryption': false } });
    await until(async () => live.results.length === 2, 'the next score');
    expect(live.results.map(({ data }) => data)).toEqual([
      { scoreChanged: { ...about, score: 100, violations: 0 } },
      { scoreChanged: { ...about, score: 0, violations: 1 } },
    ]);
    expect(foreign.results).toEqual([]);
  });

  test('are kept by day, and a fleet of hundreds is judged to its last instance', async () => {
    const tenant = await panel.world.tenant();
    const node = await nodeWith(tenant, { 'backup.encryption': true });
    await panel.sql(
      `insert into governance.node (tenant_id, id, name, facts)
       select $1, 'inst_many' || lpad(n::text, 4, '0'), 'many-' || n, '{"": true, "backup.encryption": false}'
       from generate_series(1, 799) n`,
      [tenant.id],
    );
    await create(tenant, { name: 'P', rule: encrypted });
    const overall = async () =>
      dataOf(await tenant.graphql<{ scores: ShownScores }>('{ scores { violations } }'));
    expect((await overall()).scores.violations).toBe(199);
    await until(async () => {
      await panel.clock.advance(1_000);
      return (await overall()).scores.violations === 799;
    }, 'all to be judged');
    await panel.clock.advance(3_700_000);
    const later = await signedIn(tenant);
    const history = async () =>
      dataOf(
        await later.graphql<{ scoreHistory: object[] }>(
          '{ scoreHistory(days: 2) { day score coverage violations instances inputs { passedWeight knownWeight } } }',
        ),
      ).scoreHistory;
    await until(async () => (await history()).length === 1, 'the day to be kept');
    expect(await history()).toEqual([
      {
        day: panel.clock.now().toISOString().slice(0, 10),
        score: 0,
        coverage: 100,
        violations: 799,
        instances: 800,
        inputs: { passedWeight: 5, knownWeight: 4000 },
      },
    ]);
    expect(refusal(await later.graphql('{ scoreHistory(days: 401) { day } }'))).toMatchObject({
      code: 'BAD_REQUEST',
    });
    const page = await later.graphql<{ scores: ShownScores }>(
      `{ scores { byInstance(first: 1, after: "inst_many0798") { instanceId } } }`,
    );
    expect(dataOf(page).scores.byInstance).toEqual([{ instanceId: 'inst_many0799' }]);
    expect(node.id < 'inst_many').toBe(true);
  });
});

describe('what a policy would find', () => {
  test('is told before it is made, by counts and instances, and changes nothing', async () => {
    const tenant = await panel.world.tenant();
    const [good, bad, silent] = [
      await nodeWith(tenant, { 'backup.encryption': true }),
      await nodeWith(tenant, { 'backup.encryption': false }),
      await nodeWith(tenant, {}),
    ];
    const preview = async (input: Record<string, unknown>) =>
      tenant.graphql<{ previewPolicy: object }>(
        `query ($input: PreviewPolicyInput!) { previewPolicy(input: $input) {
          passing failing unknown exempt notApplicable results { status instance { name } evidence { actual } } } }`,
        { input },
      );
    expect(dataOf(await preview({ rule: encrypted })).previewPolicy).toEqual({
      passing: 1,
      failing: 1,
      unknown: 1,
      exempt: 0,
      notApplicable: 0,
      results: [
        { status: 'FAIL', instance: { name: bad.name }, evidence: { actual: false } },
        { status: 'UNKNOWN', instance: { name: silent.name }, evidence: { actual: null } },
      ],
    });
    expect(
      dataOf(await preview({ rule: encrypted, appliesTo: { instance_ids: [good.id] } })).previewPolicy,
    ).toMatchObject({ passing: 1, failing: 0, notApplicable: 2, results: [] });
    expect(refusal(await preview({ rule: { ...encrypted, condition: 'x' } }))).toMatchObject({
      details: { 'input.rule.condition': 'There is no fact x' },
    });
    expect((await tenant.rest('/api/governance/policies')).body).toEqual([]);
    expect(await judged(tenant, bad)).toMatchObject({ score: null, policyResults: [] });
  });
});

describe('a mandatory policy', () => {
  const send = async (tenant: Tenant, input: Record<string, unknown>) =>
    tenant.graphql<{ sendCommand: { id: string } }>(
      'mutation ($input: SendCommandInput!) { sendCommand(input: $input) { id } }',
      { input },
    );

  test('that does not hold refuses an update over GraphQL and REST with its id and evidence, unless exempt', async () => {
    const tenant = await panel.world.tenant();
    const [node, good] = [
      await nodeWith(tenant, { 'backup.encryption': false }),
      await nodeWith(tenant, { 'backup.encryption': true }),
    ];
    const update = { command: 'UPDATE', params: { version: '0.3.0' } };
    const policyId = await create(tenant, {
      name: 'Encrypted',
      rule: encrypted,
      enforcement: 'MANDATORY',
      resolution: 'Set a passphrase.',
    });
    const details = {
      policy: policyId,
      name: 'Encrypted',
      resolution: 'Set a passphrase.',
      instance: node.id,
      condition: 'backup.encryption',
      operator: 'equals',
      expected: true,
      actual: false,
      others: [],
    };
    const sentence =
      `The mandatory policy ${policyId} (Encrypted) does not let this be done on ${node.id}: ` +
      'backup.encryption is false, and has to be equals true';
    const refused = await send(tenant, { ...update, instanceIds: [good.id, node.id] });
    expect(refusal(refused)).toEqual({ code: 'CONFLICT', reason: 'POLICY_VIOLATION', details });
    expect(refused.errors?.[0]?.message).toBe(sentence);
    const rest = await tenant.rest('/api/fleet/commands', {
      body: { instance_ids: [node.id], command: 'update', params: { version: '0.3.0' } },
    });
    expect([rest.status, rest.body]).toEqual([409, { error: sentence, details }]);
    expect((await tenant.rest('/api/fleet/commands')).body).toEqual([]);
    // What changes nothing there goes on, as does what mends it.
    dataOf(await send(tenant, { command: 'BACKUP', instanceIds: [node.id] }));
    dataOf(await send(tenant, { ...update, instanceIds: [good.id] }));
    dataOf(
      await tenant.graphql(
        'mutation ($input: CreatePolicyExemptionInput!) { createPolicyExemption(input: $input) { id } }',
        { input: { policyId, instanceId: node.id, owner: 'ops', reason: 'test' } },
      ),
    );
    dataOf(await send(tenant, { ...update, instanceIds: [node.id] }));
  });

  test('is asked about what will be so: a version that it forbids, and one that mends it', async () => {
    const tenant = await panel.world.tenant();
    const node = await nodeWith(tenant, {});
    await create(tenant, {
      name: 'Versions',
      enforcement: 'MANDATORY',
      rule: { condition: 'cloud_os.version', operator: 'semver', value: '>=0.3.0 <0.4.0 || 0.3.9-rc.1' },
    });
    await create(tenant, {
      name: 'No restarts of these',
      enforcement: 'MANDATORY',
      appliesTo: { instance_ids: [node.id] },
      rule: { condition: 'action.kind', operator: 'not_equals', value: 'command.restart' },
    });
    const to = (version: string) =>
      send(tenant, { command: 'UPDATE', params: { version }, instanceIds: [node.id] });
    expect(refusal(await to('0.4.0'))).toMatchObject({
      reason: 'POLICY_VIOLATION',
      details: { condition: 'cloud_os.version', actual: '0.4.0' },
    });
    dataOf(await to('0.3.1'));
    expect(refusal(await send(tenant, { command: 'RESTART', instanceIds: [node.id] }))).toMatchObject({
      reason: 'POLICY_VIOLATION',
      details: { name: 'No restarts of these', actual: 'command.restart' },
    });
    // Policies about actions have no results.
    expect((await judged(tenant, node)).policyResults).toHaveLength(1);
  });

  test('does not take back what was sent: the same call again answers the same', async () => {
    const tenant = await panel.world.tenant();
    const node = await nodeWith(tenant, { 'backup.encryption': false });
    const input = {
      command: 'UPDATE',
      params: { version: '0.3.0' },
      instanceIds: [node.id],
      idempotencyKey: 'once',
    };
    const first = dataOf(await send(tenant, input));
    await create(tenant, { name: 'P', rule: encrypted, enforcement: 'MANDATORY' });
    expect(dataOf(await send(tenant, input))).toEqual(first);
    expect(refusal(await send(tenant, { ...input, idempotencyKey: 'again' }))).toMatchObject({
      reason: 'POLICY_VIOLATION',
    });
  });

  test('that fails raises an alert, which is over when it holds, is advisory, or is removed', async () => {
    const tenant = await panel.world.tenant();
    const node = await nodeWith(tenant, { 'backup.encryption': false });
    const alerts = async () =>
      dataOf(
        await tenant.graphql<{ alerts: { nodes: Record<string, unknown>[] } }>(
          `{ alerts(filter: { rule: POLICY_VIOLATION, status: FIRING }) { nodes { severity message component instanceId } } }`,
        ),
      ).alerts.nodes;
    const policyId = await create(tenant, {
      name: 'Encrypted',
      rule: encrypted,
      severity: 'CRITICAL',
      enforcement: 'MANDATORY',
    });
    const fires = async () => until(async () => (await alerts()).length === 1, 'the alert');
    const isOver = async () => {
      await until(async () => {
        await panel.clock.advance(15_000);
        return (await alerts()).length === 0;
      }, 'the alert to be over');
    };
    const change = async (body: Record<string, unknown>) => {
      const answer = await tenant.rest(`/api/governance/policies/${policyId}`, { method: 'PUT', body });
      expect(answer.status).toBe(200);
    };
    await fires();
    expect(await alerts()).toEqual([
      {
        severity: 'CRITICAL',
        message: 'The policy Encrypted does not hold',
        component: policyId,
        instanceId: node.id,
      },
    ]);
    await node.beat({ facts: { 'backup.encryption': true } });
    await isOver();
    await node.beat({ facts: { 'backup.encryption': false } });
    await fires();
    await change({ enforcement: 'advisory' });
    await isOver();
    await change({ enforcement: 'mandatory' });
    await fires();
    expect((await tenant.rest(`/api/governance/policies/${policyId}`, { method: 'DELETE' })).status).toBe(
      204,
    );
    await isOver();
  });
});
