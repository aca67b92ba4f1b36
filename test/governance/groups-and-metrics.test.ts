import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { dataOf, refusal } from '../support/answers.js';
import { startTestPanel, type TestPanel } from '../support/panel.js';
import { until, type Node, type Tenant } from '../support/world.js';
import { create, encrypted, judged, nodeWith, signedIn, useScene } from './support/tenant.js';

let panel: TestPanel;
beforeAll(async () => {
  panel = await startTestPanel();
  useScene(panel);
});
afterAll(async () => panel.stop());

/** A busy machine takes its time over many small steps. */
const patienceMs = 90_000;

const change = async (tenant: Tenant, mutation: string, input: Record<string, unknown>) =>
  tenant.graphql<Record<string, { id: string }>>(mutation, { input });

async function group(tenant: Tenant, input: Record<string, unknown>): Promise<string> {
  const answer = await change(
    tenant,
    'mutation ($input: CreateInstanceGroupInput!) { createInstanceGroup(input: $input) { id } }',
    input,
  );
  const { id } = dataOf(answer)['createInstanceGroup']!;
  await until(
    async () => (await panel.sql('select 1 from governance.instance_group where id = $1', [id])).length > 0,
    'governance to know the group',
  );
  return id;
}

const regroup = async (tenant: Tenant, input: Record<string, unknown>) =>
  dataOf(
    await change(
      tenant,
      'mutation ($input: UpdateInstanceGroupInput!) { updateInstanceGroup(input: $input) { id } }',
      input,
    ),
  );

const appliesOn = async (tenant: Tenant, node: Node) =>
  (await judged(tenant, node)).policyResults?.length ?? 0;

async function becomes(
  tenant: Tenant,
  nodes: readonly Node[],
  wanted: readonly number[],
  what: string,
): Promise<void> {
  await until(
    async () => {
      const found = await Promise.all(nodes.map(async (node) => appliesOn(tenant, node)));
      if (JSON.stringify(found) === JSON.stringify(wanted)) return true;
      await panel.clock.advance(1_000);
      return false;
    },
    what,
    patienceMs,
  );
}

describe('a policy for groups', { timeout: 240_000 }, () => {
  test('is for whoever is in one of them, as they change, and for nobody once they are removed', async () => {
    const tenant = await panel.world.tenant();
    const [first, second] = [
      await nodeWith(tenant, { 'backup.encryption': false }, 'shop-one'),
      await nodeWith(tenant, { 'backup.encryption': false }, 'office-two'),
    ] as const;
    const nodes = [first, second];
    const listed = await group(tenant, { name: 'Listed', kind: 'STATIC', instanceIds: [first.id] });
    const policyId = await create(tenant, {
      name: 'Encrypted',
      rule: encrypted,
      appliesTo: { group_ids: [listed] },
    });
    expect([await appliesOn(tenant, first), await appliesOn(tenant, second)]).toEqual([1, 0]);
    await regroup(tenant, { id: listed, instanceIds: [second.id] });
    await becomes(tenant, nodes, [0, 1], 'the other to be in it');

    const live = await group(tenant, {
      name: 'Shops',
      kind: 'LIVE',
      filter: { q: 'SHOP', status: 'HEALTHY' },
    });
    const both = await tenant.rest<{ applies_to: unknown }>(`/api/governance/policies/${policyId}`, {
      method: 'PUT',
      body: { applies_to: { group_ids: [listed, live] } },
    });
    expect([both.status, both.body.applies_to]).toEqual([200, { group_ids: [listed, live] }]);
    await becomes(tenant, nodes, [1, 1], 'it to be for both');
    // Who is in a live group changes with the instance itself.
    await first.beat({ health: [{ component: 'disk', status: 'unhealthy', message: 'worn' }] });
    await becomes(tenant, nodes, [0, 1], 'the degraded one to be out of it');
    await first.beat({ health: [] });
    await becomes(tenant, nodes, [1, 1], 'the healthy one to be in it');
    dataOf(
      await change(
        tenant,
        'mutation ($input: UpdateInstanceInput!) { updateInstance(input: $input) { id } }',
        { id: first.id, name: 'renamed' },
      ),
    );
    await regroup(tenant, { id: live, filter: { tags: ['nobody'] } });
    await becomes(tenant, nodes, [0, 1], 'the tags to decide');
    const gone = await tenant.graphql('mutation ($id: ID!) { deleteInstanceGroup(id: $id) { id } }', {
      id: listed,
    });
    dataOf(gone);
    await becomes(tenant, nodes, [0, 0], 'nobody to be in it');
  });

  test('has nobody judged anew for the name of a group alone', async () => {
    const tenant = await panel.world.tenant();
    const node = await nodeWith(tenant, { 'backup.encryption': false });
    const other = await nodeWith(tenant, { 'backup.encryption': false });
    const listed = await group(tenant, { name: 'Listed', kind: 'STATIC', instanceIds: [node.id] });
    const live = await group(tenant, { name: 'Live', kind: 'LIVE', filter: { tags: ['web'] } });
    await create(tenant, { name: 'P', rule: encrypted, appliesTo: { group_ids: [listed, live] } });
    const revision = async () => {
      const [row] = await panel.sql<{ revision: string }>(
        'select revision::text as revision from governance.standing where tenant_id = $1',
        [tenant.id],
      );
      return Number(row?.revision);
    };
    const before = await revision();
    await regroup(tenant, { id: listed, name: 'Another' });
    await regroup(tenant, { id: live, name: 'Lively', filter: { tags: ['web'] } });
    await until(async () => {
      const found = await panel.sql(
        `select 1 from governance.instance_group where tenant_id = $1 and name in ('Another', 'Lively')`,
        [tenant.id],
      );
      return found.length === 2;
    }, 'the names to be known');
    expect(await revision()).toBe(before);
    await regroup(tenant, { id: listed, instanceIds: [node.id, other.id] });
    await until(async () => (await revision()) === before + 1, 'the new member to count');
    await regroup(tenant, { id: live, filter: { tags: ['shop'] } });
    await until(async () => (await revision()) === before + 2, 'the new filter to count');
  });

  test('takes only groups that the tenant has, each at its place, and counts in previews, admission and canaries', async () => {
    const tenant = await (await panel.world.tenant()).grantPlan('PRO');
    const [inside, outside] = [
      await nodeWith(tenant, { 'backup.encryption': false }),
      await nodeWith(tenant, { 'backup.encryption': false }),
    ] as const;
    const id = await group(tenant, { name: 'Inside', kind: 'STATIC', instanceIds: [inside.id] });
    const other = await panel.world.tenant();
    const input = (group_ids: unknown) => ({ name: 'G', rule: encrypted, appliesTo: { group_ids } });
    const mutation = 'mutation ($input: CreatePolicyInput!) { createPolicy(input: $input) { id } }';
    const places: [Tenant, unknown, string][] = [
      [tenant, [id, 'grp_none'], 'input.appliesTo.group_ids.1'],
      [other, [id], 'input.appliesTo.group_ids.0'],
      [tenant, [], 'input.appliesTo.group_ids'],
      [tenant, Array.from({ length: 21 }, () => id), 'input.appliesTo.group_ids'],
    ];
    for (const [by, ids, place] of places) {
      const { code, details } = refusal(await change(by, mutation, input(ids))) as {
        code: string;
        details: object;
      };
      expect([code, Object.keys(details)]).toEqual(['VALIDATION_FAILED', [place]]);
    }
    const preview = await tenant.graphql<{ previewPolicy: Record<string, number> }>(
      'query ($input: PreviewPolicyInput!) { previewPolicy(input: $input) { failing notApplicable } }',
      { input: { rule: encrypted, appliesTo: { group_ids: [id] } } },
    );
    expect(dataOf(preview).previewPolicy).toEqual({ failing: 1, notApplicable: 1 });
    await create(tenant, { ...input([id]), enforcement: 'MANDATORY' });
    const update = async (instanceId: string) =>
      tenant.rest('/api/fleet/commands', {
        body: { instance_ids: [instanceId], command: 'update', params: { version: '0.3.0' } },
      });
    expect((await update(inside.id)).status).toBe(409);
    expect((await update(outside.id)).status).toBe(201);
    const canary = await tenant.rest<{ instances: { target: number } }>('/api/governance/canary', {
      body: {
        name: 'C',
        command: 'restart',
        steps: [{ percent: 100, bake_seconds: 0 }],
        applies_to: { group_ids: [id] },
      },
    });
    expect([canary.status, canary.body.instances?.target]).toEqual([201, 1]);
  });
});

describe('a policy about what is measured', { timeout: 240_000 }, () => {
  const lte = (condition: string, value: unknown) => ({ condition, operator: 'lte', value });

  test('holds by the newest value and by the mean of an hour, with what was measured as evidence', async () => {
    const tenant = await panel.world.tenant();
    const node = await nodeWith(tenant, {});
    await node.beat({ cpu_percent: 20, memory_percent: 60 });
    await panel.clock.advance(60_000);
    await node.beat({ cpu_percent: 90, memory_percent: 60 });
    const latest = await create(tenant, { name: 'Latest', rule: lte('metrics.cpu.latest', 80) });
    const mean = await create(tenant, { name: 'Mean', rule: lte('metrics.cpu.avg_1h', 80) });
    const day = await create(tenant, { name: 'Day', rule: lte('metrics.cpu.avg_24h', 80) });
    const found = async () =>
      new Map((await judged(tenant, node)).policyResults?.map((each) => [each.policyId, each]));
    await until(
      async () => {
        await panel.clock.advance(5_000);
        return (await found()).get(mean)?.status === 'PASS';
      },
      'the mean to be known',
      patienceMs,
    );
    expect((await found()).get(latest)).toMatchObject({ status: 'FAIL', evidence: { actual: 90 } });
    // No hour is over yet.
    expect((await found()).get(day)).toMatchObject({ status: 'UNKNOWN', evidence: { actual: null } });
    await node.beat({ cpu_percent: 70 });
    await panel.clock.advance(300_000);
    await until(
      async () => {
        await panel.clock.advance(5_000);
        return (await found()).get(latest)?.status === 'PASS';
      },
      'the newest value to be known',
      patienceMs,
    );
  });

  test('is unknown once nothing was measured for a quarter of an hour', async () => {
    const tenant = await panel.world.tenant();
    const node = await nodeWith(tenant, {});
    await node.beat({ disk_percent: 91 });
    const policyId = await create(tenant, {
      name: 'Room',
      enforcement: 'MANDATORY',
      rule: { operator: 'all', value: [lte('metrics.disk.latest', 90)] },
    });
    const isSo = async (by: Tenant, status: string) =>
      (await judged(by, node)).policyResults?.find((each) => each.policyId === policyId)?.status === status;
    await until(
      async () => {
        await panel.clock.advance(5_000);
        return isSo(tenant, 'FAIL');
      },
      'it to fail',
      patienceMs,
    );
    // What is forbidden by it is forbidden while it is known.
    const update = async (by: Tenant) =>
      by.rest('/api/fleet/commands', {
        body: { instance_ids: [node.id], command: 'update', params: { version: '0.3.0' } },
      });
    expect((await update(tenant)).status).toBe(409);
    await panel.clock.advance(16 * 60_000);
    const later = await signedIn(tenant);
    await until(
      async () => {
        await panel.clock.advance(5_000);
        return isSo(later, 'UNKNOWN');
      },
      'it to be unknown',
      patienceMs,
    );
    expect((await update(later)).status).toBe(201);
  });

  test('has the mean of a day once hours are over', async () => {
    const tenant = await panel.world.tenant();
    const node = await nodeWith(tenant, {});
    const policyId = await create(tenant, { name: 'Day', rule: lte('metrics.memory.avg_24h', 30) });
    for (let beat = 0; beat < 6; beat += 1) {
      await node.beat({ memory_percent: 40 });
      await panel.clock.advance(30 * 60_000);
    }
    const result = async () => (await judged(await signedIn(tenant), node)).policyResults?.[0];
    await until(
      async () => {
        await panel.clock.advance(60_000);
        await node.beat({ memory_percent: 10 });
        return (await result())?.status !== 'UNKNOWN';
      },
      'the day to be known',
      patienceMs,
    );
    // The hour that is not over is not in it.
    expect(await result()).toMatchObject({ policyId, status: 'FAIL', evidence: { actual: 40 } });
  });

  test('is checked against the described set with its units when it is written', async () => {
    const tenant = await panel.world.tenant();
    const kinds = await tenant.graphql<{
      factKinds: { facts: { path: string; type: string; unit: string; source: string }[] };
    }>('{ factKinds { facts { path type unit source } } }');
    expect(dataOf(kinds).factKinds.facts).toContainEqual({
      path: 'metrics.cpu.avg_1h',
      type: 'NUMBER',
      unit: 'percent',
      source: 'METRICS',
    });
    const mutation = 'mutation ($input: CreatePolicyInput!) { createPolicy(input: $input) { id } }';
    const places: [unknown, string, RegExp][] = [
      [lte('metrics.cpu.avg_2h', 80), 'input.rule.condition', /did you mean metrics\.cpu\.avg_1h/],
      [lte('metrics.cpu.latest', 'much'), 'input.rule.value', /a number/],
      [
        { condition: 'metrics.cpu.latest', operator: 'matches', value: 'x' },
        'input.rule.operator',
        /matches/,
      ],
    ];
    for (const [rule, place, sentence] of places) {
      const { details } = refusal(await change(tenant, mutation, { name: 'M', rule })) as { details: object };
      expect(details).toEqual({ [place]: expect.stringMatching(sentence) });
    }
  });
});
