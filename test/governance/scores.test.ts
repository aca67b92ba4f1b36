import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { dataOf, refusal } from '../support/answers.js';
import { Live } from '../support/live.js';
import { startTestPanel, type TestPanel } from '../support/panel.js';
import { until } from '../support/world.js';
import {
  create,
  encrypted,
  example,
  judged,
  nodeWith,
  scoresQuery,
  signedIn,
  useScene,
} from './support/tenant.js';

let panel: TestPanel;
beforeAll(async () => {
  panel = await startTestPanel();
  useScene(panel);
});
afterAll(async () => panel.stop());

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
    // Counts are kept beside results, whatever becomes of these.
    type Counts = { passing: number; failing: number; unknown: number; exempt: number };
    const kept = async () => {
      const answer = await tenant.graphql<{ policies: { nodes: { id: string; counts: Counts }[] } }>(
        '{ policies { nodes { id counts { passing failing unknown exempt } } } }',
      );
      return dataOf(answer).policies.nodes;
    };
    const found = async () =>
      panel.sql<{ id: string; counts: Counts }>(
        `select p.id, jsonb_build_object('passing', count(*) filter (where status = 'PASS'),
           'failing', count(*) filter (where status = 'FAIL'), 'unknown', count(*) filter (where status = 'UNKNOWN'),
           'exempt', count(*) filter (where status = 'EXEMPT')) as counts
         from governance.policy p join governance.result r on r.tenant_id = p.tenant_id and r.policy_id = p.id
         where p.tenant_id = $1 group by p.id order by p.id`,
        [tenant.id],
      );
    const [policy] = await kept();
    const [first, second] = scores.byInstance;
    expect(await kept()).toEqual(await found());
    await tenant.graphql(
      'mutation ($input: CreatePolicyExemptionInput!) { createPolicyExemption(input: $input) { id } }',
      { input: { policyId: policy!.id, instanceId: first!.instanceId, owner: 'ops', reason: 'moves' } },
    );
    await panel.sql('delete from governance.node where id = $1', [second!.instanceId]);
    await panel.clock.advance(10_000);
    expect(await kept()).toEqual(await found());
    expect((await kept())[0]?.counts.exempt).toBe(1);
    const less = dataOf(await tenant.graphql<{ scores: ShownScores }>(scoresQuery)).scores;
    expect([less.instances, less.violations]).toEqual([
      6,
      less.byInstance.reduce((all, { violations }) => all + violations, 0),
    ]);
  });

  test('are told live when they change, with any field of the instance, and not to other tenants', async () => {
    const [tenant, other] = [await panel.world.tenant(), await panel.world.tenant()];
    const node = await nodeWith(tenant, { 'backup.encryption': true });
    const query =
      'subscription { scoreChanged { score previousScore violations name instance { hostname } } }';
    await using live = new Live<{ scoreChanged: { score: number | null } }>(
      panel.panel.url,
      tenant.token,
      query,
    );
    // That the node is known, by nothing yet, may be told before the dashboard listens or after.
    const known = () =>
      live.results.map(({ data }) => data).filter((data) => data?.scoreChanged.score !== null);
    await using foreign = new Live(panel.panel.url, other.token, query);
    await live.opened();
    await foreign.opened();
    await create(tenant, { name: 'P', rule: encrypted });
    const about = { name: node.name, instance: { hostname: `${node.name}.example.com` } };
    await until(async () => known().length === 1, 'the first score');
    await node.beat({ facts: { 'backup.encryption': false } });
    await until(async () => known().length === 2, 'the next score');
    expect(known()).toEqual([
      { scoreChanged: { ...about, score: 100, previousScore: null, violations: 0 } },
      { scoreChanged: { ...about, score: 0, previousScore: 100, violations: 1 } },
    ]);
    expect(foreign.results).toEqual([]);
  });

  test('are read whole, with names, by a key that may read scores and nothing else', async () => {
    const tenant = await panel.world.tenant();
    const node = await nodeWith(tenant, { 'backup.encryption': true });
    const made = await tenant.graphql<{ createApiKey: { key: string } }>(
      'mutation($input: CreateApiKeyInput!) { createApiKey(input: $input) { key } }',
      {
        input: {
          name: 'Scores',
          currentPassword: 'correct horse battery',
          permissions: ['governance.score.read'],
        },
      },
    );
    const token = dataOf(made).createApiKey.key;
    await until(async () => {
      const { status, body } = await panel.world.rest('/api/governance/scores', { token });
      expect(status).toBe(200);
      return (body['by_instance'] as { name: string }[])[0]?.name === node.name;
    }, 'the score of the node');
  });

  test('over REST come 10000 at a time, and it is told how many there are', async () => {
    const tenant = await panel.world.tenant();
    await panel.sql(
      `insert into governance.node (tenant_id, id, name)
       select $1, 'inst_many' || lpad(n::text, 5, '0'), 'many-' || n from generate_series(1, 10001) n`,
      [tenant.id],
    );
    const scores = async (query = '') => {
      const { body, headers } = await tenant.rest<{ by_instance: { instance_id: string }[] }>(
        `/api/governance/scores${query}`,
      );
      expect(headers.get('x-total-count')).toBe('10001');
      expect(Object.keys(body)).toEqual(['overall_score', 'by_instance']);
      return body.by_instance.map((each) => each.instance_id);
    };
    const first = await scores();
    expect(first).toHaveLength(10_000);
    expect(await scores(`?after=${first.at(-1)}`)).toEqual(['inst_many10001']);
    expect(await scores('?limit=2&after=inst_many00007')).toEqual(['inst_many00008', 'inst_many00009']);
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

  test('is not told of a fleet that would take too long to look through', async () => {
    const tenant = await panel.world.tenant();
    const node = await nodeWith(tenant, { 'os.name': 'b' });
    await panel.sql(
      `insert into governance.node select (jsonb_populate_record(n, jsonb_build_object(
         'id', n.id || lpad(g::text, 4, '0'), 'facts', jsonb_build_object('os.name', repeat('b', 980) || g)))).*
       from governance.node n, generate_series(1, 2999) g where n.id = $1`,
      [node.id],
    );
    const dear = { condition: 'os.name', operator: 'matches', value: '(?i)(?:[a-z]{0,40}b){8}z' };
    const preview = async () =>
      tenant.graphql('query ($input: PreviewPolicyInput!) { previewPolicy(input: $input) { failing } }', {
        input: { rule: { operator: 'all', value: Array.from({ length: 2 }, () => dear) } },
      });
    const codes = (await Promise.all([preview(), preview()])).map((answer) => refusal(answer).code);
    expect(codes).toContain('BAD_REQUEST');
    expect(['BAD_REQUEST', 'RATE_LIMITED']).toEqual(expect.arrayContaining(codes));
  });
});
