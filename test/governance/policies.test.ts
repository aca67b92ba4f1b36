import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { dataOf, refusal } from '../support/answers.js';
import { HeldLock } from '../support/held-lock.js';
import { startTestPanel, type TestPanel } from '../support/panel.js';
import { until, type Node } from '../support/world.js';
import { create, encrypted, example, judged, known, nodeWith, useScene } from './support/tenant.js';

let panel: TestPanel;
beforeAll(async () => {
  panel = await startTestPanel();
  useScene(panel);
});
afterAll(async () => panel.stop());

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

  test('that is meant to do harm is refused, or judged as fast as any other, and nobody waits for it', async () => {
    const tenant = await panel.world.tenant();
    const begun = Date.now();
    const deep = (levels: number) =>
      `${'{"operator":"all","value":['.repeat(levels)}${JSON.stringify(encrypted)}${']}'.repeat(levels)}`;
    const post = async (rule: string) =>
      tenant.rest<{ error: string; details?: Record<string, string> }>('/api/governance/policies', {
        rawBody: JSON.stringify({ ...example, rule: 0 }).replace('"rule":0', `"rule":${rule}`),
        headers: { 'content-type': 'application/json' },
      });
    const many = Array.from({ length: 5_000 }, () => JSON.stringify(encrypted)).join(',');
    for (const rule of [deep(50), deep(10_000), `{"operator":"any","value":[${many}]}`]) {
      const { status, body } = await post(rule);
      expect([400, 413, 422]).toContain(status);
      expect(body.error).toEqual(expect.stringMatching(/rule|body|deep|many/i));
    }
    // An engine that backtracks needs longer for that than the world is old.
    const backtracking = { condition: 'os.name', operator: 'matches', value: '^(a+)+$' };
    expect((await post(JSON.stringify(backtracking))).status).toBe(201);
    const node = await nodeWith(tenant, { os: { name: `${'a'.repeat(200)}!` } });
    await until(async () => (await judged(tenant, node)).score === 0, 'the rule not to hold');
    expect(Date.now() - begun).toBeLessThan(60_000);
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
      { applies_to: 'It is "all_instances", or an object with instance_ids, tags or group_ids' },
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

  test('is made however many are made at once', async () => {
    const tenant = await (await panel.world.tenant()).grantPlan('PRO');
    const names = Array.from({ length: 16 }, (_, at) => `Policy ${at}`);
    const made = await Promise.all(
      names.map(async (name) => tenant.rest('/api/governance/policies', { body: { ...example, name } })),
    );
    expect(made.map(({ status }) => status)).toEqual(names.map(() => 201));
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

describe('whoever changes what instances are judged by', () => {
  const exempting =
    'mutation ($input: CreatePolicyExemptionInput!) { createPolicyExemption(input: $input) { id } }';

  test('holds nothing of an instance while it waits for those who judge the tenant', async () => {
    const tenant = await panel.world.tenant();
    const node = await nodeWith(tenant, { 'backup.encryption': false });
    const policyId = await create(tenant, { name: 'P', rule: encrypted });
    await using held = await HeldLock.by(
      panel,
      'select 1 from governance.standing where tenant_id = $1 for update',
      [tenant.id],
    );
    const exempt = tenant.graphql<object>(exempting, {
      input: { policyId, instanceId: node.id, owner: 'ops', reason: 'moves next week' },
    });
    await held.wanted();
    expect(
      await held.query('select 1 from governance.node where id = $1 for update nowait', [node.id]),
    ).toHaveLength(1);
    await held.release();
    dataOf(await exempt);
    expect((await judged(tenant, node)).policyResults).toMatchObject([{ policyId, status: 'EXEMPT' }]);
  });

  test('removes a policy only once nobody judges anything by it', async () => {
    const tenant = await panel.world.tenant();
    const node = await nodeWith(tenant, { 'backup.encryption': false });
    const policyId = await create(tenant, { name: 'P', rule: encrypted });
    await using held = await HeldLock.by(panel, 'select 1 from governance.node where id = $1 for update', [
      node.id,
    ]);
    const removed = tenant.graphql<object>('mutation ($id: ID!) { deletePolicy(id: $id) { id } }', {
      id: policyId,
    });
    await held.wanted();
    expect(
      await held.query('select 1 from governance.policy where id = $1 for key share nowait', [policyId]),
    ).toHaveLength(1);
    await held.release();
    dataOf(await removed);
    expect((await judged(tenant, node)).policyResults).toEqual([]);
  });
});
