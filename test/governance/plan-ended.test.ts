import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { dataOf } from '../support/answers.js';
import { startTestPanel, type TestPanel } from '../support/panel.js';
import { until } from '../support/world.js';
import { create, encrypted, judged, nodeWith, useScene } from './support/tenant.js';

let panel: TestPanel;
beforeAll(async () => {
  panel = await startTestPanel();
  useScene(panel);
});
afterAll(async () => panel.stop());

describe('a policy', () => {
  test('beyond the first three has no say while the plan includes no governance, says why, and has it again with the plan', async () => {
    const tenant = await (await panel.world.tenant()).grantPlan('PRO');
    const node = await nodeWith(tenant, { 'backup.encryption': false });
    const ids: string[] = [];
    for (const name of ['One', 'Two', 'Three', 'Four', 'Five'])
      ids.push(
        await create(tenant, {
          name,
          rule: encrypted,
          enforcement: name === 'Four' ? 'MANDATORY' : 'ADVISORY',
        }),
      );
    const [one, two, three, four, five] = ids;
    const judgedBy = async (expected: readonly unknown[], violations: number) =>
      until(async () => {
        await panel.clock.advance(1_000);
        const found = await judged(tenant, node);
        const by = found.policyResults?.map(({ policyId }) => policyId);
        return JSON.stringify([by, found.violations]) === JSON.stringify([expected, violations]);
      }, `the node to be judged by ${expected.length} policies`);
    const suspended = async () =>
      dataOf(
        await tenant.graphql<{ policies: { nodes: { id: string; suspendedReason: string | null }[] } }>(
          '{ policies { nodes { id suspendedReason } } }',
        ),
      ).policies.nodes.flatMap(({ id, suspendedReason }) =>
        suspendedReason === null ? [] : [id, suspendedReason],
      );
    const update = async () =>
      tenant.rest('/api/fleet/commands', {
        body: { instance_ids: [node.id], command: 'update', params: { version: '0.3.0' } },
      });
    const mandatory = async () =>
      (await panel.sql('select count from fleet.mandatory_policies where tenant_id = $1', [tenant.id]))[0];
    await judgedBy(ids, 5);
    expect([await suspended(), (await update()).status]).toEqual([[], 409]);

    await tenant.grantPlan('FREE');
    await judgedBy([one, two, three], 3);
    const reason =
      'The plan includes no governance: of the policies that are not disabled only the first 3 have a say';
    expect(await suspended()).toEqual([four, reason, five, reason]);
    expect((await update()).status).toBe(201);
    await until(async () => (await mandatory())?.['count'] === 0, 'fleet to know that none is mandatory');
    const put = async (id: string | undefined, body: object) =>
      (await tenant.rest(`/api/governance/policies/${id}`, { method: 'PUT', body })).status;
    expect(await put(four, { name: 'Another' })).toBe(403);
    expect(await put(one, { enforcement: 'disabled', name: 'Another' })).toBe(403);
    expect(await put(one, { enforcement: 'disabled' })).toBe(200);
    await judgedBy([two, three, four], 3);
    expect([await suspended(), (await update()).status]).toEqual([[five, reason], 409]);
    expect(await put(one, { enforcement: 'advisory' })).toBe(403);

    await tenant.grantPlan('PRO');
    await judgedBy([two, three, four, five], 4);
    expect(await suspended()).toEqual([]);
    await tenant.grantPlan('FREE');
    for (const id of [two, three])
      expect((await tenant.rest(`/api/governance/policies/${id}`, { method: 'DELETE' })).status).toBe(204);
    await judgedBy([four, five], 2);
    // No more than three are left: a plan without governance has as many.
    expect(await put(one, { enforcement: 'advisory' })).toBe(200);
    await judgedBy([one, four, five], 3);
  });

  test('keeps the newest 200 of what it was', async () => {
    const tenant = await panel.world.tenant();
    const id = await create(tenant, { name: 'Encrypted', rule: encrypted });
    await panel.sql(
      `insert into governance.policy_version select tenant_id, policy_id, n, name, rule, enforcement, severity,
         applies_to, is_deleted, changed_by, changed_at
       from governance.policy_version, generate_series(2, 250) n where policy_id = $1`,
      [id],
    );
    await panel.sql('update governance.policy set version = 250 where id = $1', [id]);
    const kept = async () => {
      await panel.clock.advance(3_600_000);
      return panel.sql(
        'select min(version) as first, max(version) as last from governance.policy_version where policy_id = $1',
        [id],
      );
    };
    await expect.poll(kept, { timeout: 30_000 }).toEqual([{ first: 51, last: 250 }]);
  });
});
