import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { create, encrypted, nodeWith, useScene } from '../../governance/support/tenant.js';
import { dataOf, refusal } from '../../support/answers.js';
import { startTestPanel, type TestPanel } from '../../support/panel.js';
import { until, type Node, type Tenant } from '../../support/world.js';
import { subscribe, WebhookReceiver } from '../alerts/support/webhook.js';
import { stride } from '../support/strides.js';
import { take } from './support/commands.js';
import { ids, make, seen, send, tag, window, type Preview } from './support/preview.js';

let panel: TestPanel;
beforeAll(async () => {
  panel = await startTestPanel({ ALLOW_PRIVATE_TARGETS: '127.0.0.1' });
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

describe('a planned command', () => {
  const minute = 60_000;
  const inMinutes = (minutes: number) =>
    new Date(panel.clock.now().getTime() + minutes * minute).toISOString();
  const plan = (nodes: readonly Node[], more: Record<string, unknown> = {}) => ({
    command: 'RESTART',
    instanceIds: ids(nodes),
    startAt: inMinutes(5),
    deliveryTimeoutSeconds: 120,
    ...more,
  });
  const planned = async (tenant: Tenant, input: Record<string, unknown>) =>
    dataOf(await send(tenant, input)).sendCommand.id;
  const shown = async (tenant: Tenant, id: string) =>
    dataOf(
      await tenant.graphql<{ command: Record<string, unknown> }>(
        'query ($id: ID!) { command(id: $id) { status startAt expiresAt refusal counts { waiting notRun } } }',
        { id },
      ),
    ).command;
  const begun = async (node: Node) => {
    let handed: string[] = [];
    await until(async () => {
      handed = (await take(node)).map(({ id }) => id);
      await panel.clock.advance(1_000);
      return handed.length > 0;
    }, 'the command to begin');
    return handed;
  };

  test('is handed to nobody before it begins, and then has all of its time, outside of the windows of before', async () => {
    const tenant = await panel.world.tenant();
    const nodes = [await tenant.node(), await tenant.node()] as const;
    await window(tenant, { name: 'Freeze', effect: 'DENY', durationMinutes: 5 });
    const input = plan(nodes, { maxConcurrency: 1 });
    const told = await seen(tenant, input);
    expect([told.delayed, told.expiresAt]).toEqual([0, inMinutes(7)]);
    const id = await planned(tenant, input);
    expect(await shown(tenant, id)).toEqual({
      status: 'PENDING',
      startAt: input.startAt,
      expiresAt: inMinutes(7),
      refusal: null,
      counts: { waiting: 2, notRun: 0 },
    });
    // Processes of the version before hand out what is leased to nobody, and know of no other beginning.
    const held = await panel.sql(
      `select 1 from fleet.command_invocation where command_id = $1 and leased_until > $2`,
      [id, input.startAt],
    );
    await stride(panel.clock, 4 * minute);
    expect([held.length, await take(nodes[0]), await take(nodes[1])]).toEqual([2, [], []]);
    await stride(panel.clock, minute);
    expect(await begun(nodes[0])).toEqual([id]);
    expect(await take(nodes[1])).toEqual([]);
  });

  test('that is cancelled before it begins is over at once, and the same call under its key plans no other', async () => {
    const tenant = await panel.world.tenant();
    const node = await tenant.node();
    const input = plan([node], { idempotencyKey: 'k1' });
    const id = await planned(tenant, input);
    await tenant.rest(`/api/fleet/commands/${id}/cancel`, { method: 'POST' });
    expect(await shown(tenant, id)).toMatchObject({ status: 'CANCELLED', counts: { waiting: 0, notRun: 1 } });
    expect(await planned(tenant, input)).toBe(id);
    await stride(panel.clock, 6 * minute);
    expect(await take(node)).toEqual([]);
  });

  test('is waiting until it begins, also once some of its instances have left', async () => {
    const tenant = await panel.world.tenant();
    const [stays, leaves] = [await tenant.node(), await tenant.node()];
    const id = await planned(tenant, plan([stays, leaves]));
    expect((await tenant.rest(`/api/fleet/instances/${leaves.id}`, { method: 'DELETE' })).status).toBe(204);
    expect(await shown(tenant, id)).toMatchObject({ status: 'PENDING', counts: { waiting: 1, notRun: 1 } });
    await stride(panel.clock, 5 * minute);
    expect(await begun(stays)).toEqual([id]);
  });

  test('that a process of the version before has cancelled is over when it was to begin', async () => {
    const tenant = await panel.world.tenant();
    const node = await tenant.node();
    const id = await planned(tenant, plan([node]));
    await panel.sql(`update fleet.command set status = 'CANCELLING', cancelled_at = $2 where id = $1`, [
      id,
      panel.clock.now(),
    ]);
    await stride(panel.clock, 5 * minute);
    await until(async () => {
      await panel.clock.advance(1_000);
      return (await shown(tenant, id))['status'] === 'CANCELLED';
    }, 'its end');
    expect(await take(node)).toEqual([]);
  });

  test('does not begin where a mandatory policy has come meanwhile that refuses it, and says so, also to channels', async () => {
    const tenant = await (await panel.world.tenant()).grantPlan('PRO');
    await using receiver = await WebhookReceiver.start();
    await subscribe(tenant, receiver);
    const nodes = [
      await nodeWith(tenant, { 'backup.encryption': true }),
      await nodeWith(tenant, { 'backup.encryption': false }),
    ];
    const id = await planned(tenant, plan(nodes, { command: 'UPDATE', params: { version: '0.3.0' } }));
    await create(tenant, { name: 'Encrypted', rule: encrypted, enforcement: 'MANDATORY' });
    await stride(panel.clock, 5 * minute);
    await until(async () => {
      await panel.clock.advance(1_000);
      return (await shown(tenant, id))['status'] === 'CANCELLED';
    }, 'the command to be refused');
    expect((await shown(tenant, id))['refusal']).toContain('(Encrypted) does not let this be done');
    for (const node of nodes) expect(await take(node)).toEqual([]);
    const { alerts } = dataOf(
      await tenant.graphql<{ alerts: { nodes: { instanceId: string }[] } }>(
        '{ alerts(filter: { rule: COMMAND_FAILED }) { nodes { instanceId component message } } }',
      ),
    );
    expect(alerts.nodes.toSorted((a, b) => a.instanceId.localeCompare(b.instanceId))).toEqual(
      nodes
        .map(({ id: instanceId }) => ({
          instanceId,
          component: 'UPDATE',
          message: 'The command UPDATE was refused by a mandatory policy when its time had come',
        }))
        .toSorted((a, b) => a.instanceId.localeCompare(b.instanceId)),
    );
    const told = () =>
      receiver.received
        .flatMap(({ body }) => body.data.alerts)
        .filter(({ rule }) => rule === 'command_failed');
    await until(async () => {
      await panel.clock.advance(1_000);
      return told().length === nodes.length;
    }, 'the channel to be told');
  });

  test('begins at once where its time has passed, is at most 30 days ahead, and one of a hundred', async () => {
    const tenant = await panel.world.tenant();
    const node = await tenant.node();
    const past = await planned(tenant, plan([node], { startAt: inMinutes(-1) }));
    expect((await take(node)).map(({ id }) => id)).toEqual([past]);
    const late = await send(tenant, plan([node], { startAt: inMinutes(30 * 24 * 60 + 1) }));
    expect(late.errors?.[0]?.extensions).toMatchObject({
      code: 'VALIDATION_FAILED',
      details: { 'input.startAt': 'Start at must be at most 30 days ahead' },
    });
    await panel.sql(
      `insert into fleet.command select (jsonb_populate_record(c, jsonb_build_object('id', c.id || n))).*
       from fleet.command c, generate_series(1, 99) n where c.id = $1`,
      [await planned(tenant, plan([node]))],
    );
    expect(refusal(await send(tenant, plan([node])))).toEqual({
      code: 'LIMIT_REACHED',
      reason: 'PLANNED_COMMANDS_LIMIT',
      details: { limit: 100, used: 100 },
    });
  });
});
