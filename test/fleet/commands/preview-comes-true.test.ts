import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { create, encrypted, nodeWith, useScene } from '../../governance/support/tenant.js';
import { dataOf } from '../../support/answers.js';
import { startTestPanel, type TestPanel } from '../../support/panel.js';
import type { Node, Tenant } from '../../support/world.js';
import { take } from './support/commands.js';
import { ids, make, seen, send, tag, window, type Preview } from './support/preview.js';

let panel: TestPanel;
beforeAll(async () => {
  panel = await startTestPanel();
  useScene(panel);
});
afterAll(async () => panel.stop());

/** What sending it is refused with, by what its preview said. */
function refusalIn({ refusals }: Preview): object {
  const [first, ...others] = refusals as [Preview['refusals'][number], ...Preview['refusals']];
  return {
    code: 'CONFLICT',
    reason: 'POLICY_VIOLATION',
    details: {
      policy: first.policyId,
      name: first.policyName,
      resolution: first.resolution,
      instance: first.instanceId,
      condition: first.condition,
      operator: first.operator,
      expected: first.expected,
      actual: first.actual,
      others: others.map(({ policyId, instanceId }) => ({ policy: policyId, instance: instanceId })),
    },
  };
}

describe('what a preview says comes true', () => {
  interface Scene {
    tenant: Tenant;
    good: Node;
    bad: Node;
    frozen: Node;
    groupId: string;
  }

  async function scene(): Promise<Scene> {
    const tenant = await (await panel.world.tenant()).grantPlan('PRO');
    const good = await nodeWith(tenant, { 'backup.encryption': true });
    const bad = await nodeWith(tenant, { 'backup.encryption': false });
    const frozen = await nodeWith(tenant, { 'backup.encryption': true });
    for (const node of [good, frozen]) await tag(tenant, node, 'fine');
    await tag(tenant, bad, 'poor');
    await create(tenant, { name: 'Encrypted', rule: encrypted, enforcement: 'MANDATORY' });
    await create(tenant, {
      name: 'No diagnostics of these',
      enforcement: 'MANDATORY',
      appliesTo: { instance_ids: [frozen.id] },
      rule: { condition: 'action.kind', operator: 'not_equals', value: 'command.run_diagnostics' },
    });
    await window(tenant, {
      name: 'Freeze',
      effect: 'DENY',
      groupId: await make(tenant, 'InstanceGroup', {
        kind: 'STATIC',
        name: 'Frozen',
        instanceIds: [frozen.id],
      }),
    });
    const groupId = await make(tenant, 'InstanceGroup', {
      kind: 'LIVE',
      name: 'Poor',
      filter: { tags: ['poor'] },
    });
    return { tenant, good, bad, frozen, groupId };
  }

  const update = { command: 'UPDATE', params: { version: '0.3.0' } };
  test.for<[string, (scene: Scene) => Record<string, unknown>]>([
    ['an update of all', ({ good, bad, frozen }) => ({ ...update, instanceIds: ids([frozen, bad, good]) })],
    ['an update of those with a tag', () => ({ ...update, tags: ['fine'] })],
    ['an update of those with another tag', () => ({ ...update, tags: ['poor'] })],
    [
      'a restart of a live group and one more',
      ({ good, groupId }) => ({ command: 'RESTART', groupIds: [groupId], instanceIds: [good.id] }),
    ],
    [
      'a backup outside of windows',
      ({ frozen, bad }) => ({ command: 'BACKUP', instanceIds: ids([frozen, bad]), ignoresWindows: true }),
    ],
    [
      'diagnostics that two policies look at',
      ({ good, bad, frozen }) => ({ command: 'RUN_DIAGNOSTICS', instanceIds: ids([good, bad, frozen]) }),
    ],
    [
      'diagnostics of the others',
      ({ good, bad }) => ({
        command: 'RUN_DIAGNOSTICS',
        instanceIds: ids([good, bad, good]),
        deliveryTimeoutSeconds: 60,
      }),
    ],
  ])('%s', async ([, shape]) => {
    const made = await scene();
    const { tenant, good, bad, frozen } = made;
    const input = shape(made);
    const told = await seen(tenant, input);
    const answer = await send(tenant, input);
    const isRefused = told.admission === 'REFUSED';
    expect(answer.errors?.map(({ extensions }) => extensions)).toEqual(
      isRefused ? [refusalIn(told)] : undefined,
    );
    if (isRefused) return;
    const { sendCommand: command } = dataOf(answer);
    const targets = told.instances.nodes;
    expect(command).toMatchObject({
      total: told.total,
      expiresAt: told.expiresAt,
      results: targets.map(({ instanceId }) => ({ instanceId })),
    });
    for (const node of [good, bad, frozen]) {
      const target = targets.find(({ instanceId }) => instanceId === node.id);
      const handed = (await take(node)).map(({ id }) => id);
      expect(handed).toEqual(target && target.delay === null ? [command.id] : []);
    }
    const held = targets.filter(({ delay }) => delay !== null);
    for (const { instanceId, delay } of held) {
      await panel.clock.advance(new Date(delay!.until!).getTime() - panel.clock.now().getTime());
      const node = [good, bad, frozen].find(({ id }) => id === instanceId)!;
      expect((await take(node)).map(({ id }) => id)).toEqual([command.id]);
    }
  });
});
