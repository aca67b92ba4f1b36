import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { dataOf, refusal } from '../support/answers.js';
import { HeldLock } from '../support/held-lock.js';
import { startTestPanel, type TestPanel } from '../support/panel.js';
import { until } from '../support/world.js';
import { create, encrypted, judged, nodeWith, useScene } from './support/tenant.js';

let panel: TestPanel;
beforeAll(async () => {
  panel = await startTestPanel();
  useScene(panel);
});
afterAll(async () => panel.stop());

describe('an exemption', () => {
  test('lets an instance be without a policy for a time, with an owner and a reason, and counts for nothing meanwhile', async () => {
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
    expect(refusal(await exempt({ expiresAt: '9999-12-31T23:59:59-05:00' }))).toMatchObject({
      code: 'BAD_REQUEST',
    });
    const soon = new Date(panel.clock.now().getTime() + 60_000).toISOString();
    const { id } = dataOf(await exempt({ expiresAt: soon })).createPolicyExemption;
    const isExempt = {
      score: null,
      violations: 0,
      policyResults: [{ policyId, status: 'EXEMPT', evidence: null }],
    };
    expect(await judged(tenant, node)).toEqual(isExempt);
    const listed = async (who: typeof tenant) =>
      dataOf(
        await who.graphql<{ policyExemptions: { nodes: object[] } }>(
          'query ($id: ID!) { policyExemptions(instanceId: $id) { nodes { expiresAt policy { name } } } }',
          { id: node.id },
        ),
      ).policyExemptions.nodes;
    expect(await listed(tenant)).toEqual([{ expiresAt: soon, policy: { name: 'P' } }]);
    expect(await listed(await panel.world.tenant())).toEqual([]);
    const one = 'query ($id: ID!) { policyExemption(id: $id) { owner presentInstance { name } } }';
    expect(dataOf(await tenant.graphql(one, { id }))).toEqual({
      policyExemption: { owner: 'ops', presentInstance: { name: node.name } },
    });
    expect(refusal(await (await panel.world.tenant()).graphql(one, { id }))).toMatchObject({
      code: 'NOT_FOUND',
    });
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

  test('is made and ended by a key that may only exempt, which sees nothing of the policy by it', async () => {
    const tenant = await panel.world.tenant();
    const node = await nodeWith(tenant, { 'backup.encryption': false });
    const policyId = await create(tenant, { name: 'P', rule: encrypted });
    const { key } = dataOf(
      await tenant.graphql<{ createApiKey: { key: string } }>(
        'mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { key } }',
        {
          input: {
            name: 'Exempts',
            permissions: ['governance.exemption.manage'],
            currentPassword: tenant.account.password,
          },
        },
      ),
    ).createApiKey;
    const asKey = async (query: string, variables: Record<string, unknown>) =>
      panel.world.graphql<Record<string, { id: string; policy: object | null }>>(query, variables, key);
    const refused = (field: string) => [
      expect.objectContaining({
        path: [field, 'policy'],
        extensions: expect.objectContaining({ code: 'FORBIDDEN' }) as object,
      }) as object,
    ];
    const made = await asKey(
      'mutation ($input: CreatePolicyExemptionInput!) { createPolicyExemption(input: $input) { id policyId policy { name description } } }',
      { input: { policyId, instanceId: node.id, owner: 'ops', reason: 'moves' } },
    );
    expect(made.errors).toEqual(refused('createPolicyExemption'));
    expect(made.data?.['createPolicyExemption']).toMatchObject({ policyId, policy: null });
    const ended = await asKey(
      'mutation ($id: ID!) { deletePolicyExemption(id: $id) { id policy { name description } } }',
      { id: made.data!['createPolicyExemption']!.id },
    );
    expect(ended.errors).toEqual(refused('deletePolicyExemption'));
    expect(ended.data?.['deletePolicyExemption']).toMatchObject({ policy: null });
    expect((await judged(tenant, node)).violations).toBe(1);
  });

  test('of one instance of many waits for none of the others, and holds for it at once; nor does removing its policy', async () => {
    const tenant = await panel.world.tenant();
    const node = await nodeWith(tenant, { 'backup.encryption': false });
    const policyId = await create(tenant, { name: 'P', rule: encrypted });
    await panel.sql(
      `insert into governance.node select (jsonb_populate_record(i, jsonb_build_object('id', i.id || lpad(n::text, 5, '0')))).*
       from governance.node i, generate_series(1, 250) n where i.id = $1`,
      [node.id],
    );
    await using other = await HeldLock.by(panel, 'select from governance.node where id = $1 for update', [
      `${node.id}00249`,
    ]);
    const instanceId = `${node.id}00250`;
    const statusOf = async () =>
      panel.sql('select status from governance.result where instance_id = $1', [instanceId]);
    const { id } = dataOf(
      await tenant.graphql<{ createPolicyExemption: { id: string } }>(
        'mutation ($input: CreatePolicyExemptionInput!) { createPolicyExemption(input: $input) { id } }',
        { input: { policyId, instanceId, owner: 'ops', reason: 'moves' } },
      ),
    ).createPolicyExemption;
    expect(await statusOf()).toEqual([{ status: 'EXEMPT' }]);
    dataOf(await tenant.graphql('mutation ($id: ID!) { deletePolicyExemption(id: $id) { id } }', { id }));
    expect(await statusOf()).toEqual([{ status: 'FAIL' }]);
    dataOf(await tenant.graphql('mutation ($id: ID!) { deletePolicy(id: $id) { id } }', { id: policyId }));
    await other.release();
    await until(async () => {
      await panel.clock.advance(1_000);
      return (await statusOf()).length === 0;
    }, 'its results to go');
  });
});
