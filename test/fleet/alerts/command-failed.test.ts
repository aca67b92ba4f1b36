import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { dataOf, refusal } from '../../support/answers.js';
import { Live } from '../../support/live.js';
import { startTestPanel, type TestPanel } from '../../support/panel.js';
import type { Node, Tenant } from '../../support/world.js';
import { becomes, report, sent, takeOne } from '../commands/support/commands.js';
import { stride } from '../support/strides.js';
import { soon, updateRule } from './support/panel.js';
import { subscribe, WebhookReceiver } from './support/webhook.js';

let panel: TestPanel;
beforeAll(async () => {
  panel = await startTestPanel({ ALLOW_PRIVATE_TARGETS: '127.0.0.1' });
});
afterAll(async () => panel.stop());

interface FoundAlert {
  id: string;
  status: string;
  count: number;
  resolution: string | null;
}

/** Has the node carry a command out, and report that it ended so. */
async function run(tenant: Tenant, node: Node, status: string, more: object = {}): Promise<void> {
  const { command = 'restart', ...result } = more as { command?: string };
  await panel.clock.advance(1_000);
  await sent(tenant, [node], { command });
  expect(await report(node, await takeOne(node), status, result)).toBe(204);
}

const query = `query($status: AlertStatus) {
  alerts(filter: { rule: COMMAND_FAILED, status: $status }) { nodes { id status count resolution } }
}`;
async function alerts(tenant: Tenant, status?: string): Promise<FoundAlert[]> {
  const answer = await tenant.graphql<{ alerts: { nodes: FoundAlert[] } }>(query, { status });
  return dataOf(answer).alerts.nodes;
}
const counts = async (tenant: Tenant) => (await alerts(tenant)).map(({ count }) => count);
const gone = async (tenant: Tenant) =>
  soon(panel, async () => (await alerts(tenant)).length === 0, 'the alert to be over');

describe('a command that fails', () => {
  test('is an alert at once, and of it there is one for each instance and kind of command', async () => {
    const tenant = await panel.world.tenant();
    const [node, other] = [await tenant.node('web-1'), await tenant.node('web-2')];
    await run(tenant, node, 'failed', { exit_code: 3, output: 'secret' });
    await run(tenant, other, 'failed');
    await run(tenant, node, 'failed', { command: 'backup' });
    const answer = await tenant.graphql<{ alerts: { nodes: unknown[] } }>(
      `{ alerts { nodes { rule component fingerprint instanceId severity status message value threshold count } } }`,
    );
    const alert = (on: Node, component: string, message: string) => ({
      rule: 'COMMAND_FAILED',
      component,
      fingerprint: `command_failed/${on.id}/${component}`,
      instanceId: on.id,
      severity: 'WARNING',
      status: 'FIRING',
      message,
      value: null,
      threshold: null,
      count: 1,
    });
    expect(dataOf(answer).alerts.nodes).toEqual([
      alert(node, 'BACKUP', 'The command BACKUP failed'),
      alert(other, 'RESTART', 'The command RESTART failed'),
      alert(node, 'RESTART', 'The command RESTART failed with exit code 3'),
    ]);
  });

  test('again and again counts up on the one alert, acknowledged or not; a repeated report does not', async () => {
    const tenant = await panel.world.tenant();
    const node = await tenant.node();
    await run(tenant, node, 'failed');
    const [alert] = await alerts(tenant);
    await tenant.rest(`/api/fleet/alerts/${alert!.id}/acknowledge`, { method: 'POST' });
    await run(tenant, node, 'failed');
    await sent(tenant, [node]);
    const handed = await takeOne(node);
    for (let time = 0; time < 2; time += 1) await report(node, handed, 'failed');
    expect(await alerts(tenant)).toEqual([
      { id: alert!.id, status: 'ACKNOWLEDGED', count: 3, resolution: null },
    ]);
  });

  test('because it did not end in time is an alert; one that was never taken up is none', async () => {
    const tenant = await panel.world.tenant();
    const node = await tenant.node();
    const unreached = await sent(tenant, [node], { command: 'backup', delivery_timeout_seconds: 60 });
    await stride(panel.clock, 60_000);
    await becomes(tenant, unreached, [node], ['delivery_timed_out']);
    expect(await alerts(tenant)).toEqual([]);
    const slow = await sent(tenant, [node], { execution_timeout_seconds: 30 });
    await report(node, await takeOne(node), 'in_progress');
    await stride(panel.clock, 32_000);
    await becomes(tenant, slow, [node], ['execution_timed_out']);
    const answer = await tenant.graphql(`{ alerts(filter: { rule: COMMAND_FAILED }) { nodes { message } } }`);
    expect(dataOf(answer)).toEqual({
      alerts: { nodes: [{ message: 'The command RESTART did not end in time' }] },
    });
  });
});

describe('the alert', () => {
  test('is over when a later command of the same kind succeeds there, and comes back as a new one', async () => {
    const tenant = await panel.world.tenant();
    const [node, other] = [await tenant.node(), await tenant.node()];
    await run(tenant, node, 'failed');
    const [first] = await alerts(tenant);
    await run(tenant, node, 'success', { command: 'backup' });
    await run(tenant, other, 'success');
    await panel.clock.advance(10_000);
    await run(tenant, node, 'failed');
    expect(await counts(tenant)).toEqual([2]);
    await run(tenant, node, 'success');
    await gone(tenant);
    expect(await alerts(tenant, 'RESOLVED')).toEqual([
      { id: first!.id, status: 'RESOLVED', count: 2, resolution: 'CLEARED' },
    ]);
    await run(tenant, node, 'failed');
    expect(await counts(tenant)).toEqual([1]);
  });

  test('goes on for `keepFiringForSeconds` after a success, and a failure meanwhile begins that anew', async () => {
    const tenant = await panel.world.tenant();
    await updateRule(tenant, { kind: 'COMMAND_FAILED', keepFiringForSeconds: 120 });
    const [again, once] = [await tenant.node(), await tenant.node()];
    await run(tenant, again, 'failed');
    await run(tenant, again, 'success');
    await run(tenant, once, 'failed');
    await run(tenant, once, 'success');
    const since = panel.clock.now().getTime();
    await run(tenant, again, 'failed');
    expect(await counts(tenant)).toEqual([1, 2]);
    await soon(panel, async () => (await alerts(tenant)).length === 1, 'one to be over', 180);
    expect(panel.clock.now().getTime() - since).toBeGreaterThanOrEqual(120_000);
    expect(await counts(tenant)).toEqual([2]);
  });

  test('is silenced, and held back while its node is offline, as any other', async () => {
    const tenant = await panel.world.tenant();
    const node = await tenant.node();
    const input = {
      matchers: [{ field: 'RULE', operator: 'EQUALS', value: 'COMMAND_FAILED' }],
      endsAt: new Date(panel.clock.now().getTime() + 3_600_000).toISOString(),
      comment: 'known',
    };
    dataOf(
      await tenant.graphql('mutation($input: CreateSilenceInput!) { createSilence(input: $input) { id } }', {
        input,
      }),
    );
    await run(tenant, node, 'failed');
    const held = async () =>
      dataOf(
        await tenant.graphql<{ alerts: { nodes: { inhibitedBy: object | null }[] } }>(
          '{ alerts(filter: { rule: COMMAND_FAILED }) { nodes { inhibitedBy { rule } silencedBy { comment } } } }',
        ),
      ).alerts.nodes;
    expect(await held()).toEqual([{ inhibitedBy: null, silencedBy: [{ comment: 'known' }] }]);
    await soon(panel, async () => (await held())[0]!.inhibitedBy !== null, 'the outage', 180);
    expect(await held()).toEqual([{ inhibitedBy: { rule: 'OFFLINE' }, silencedBy: [{ comment: 'known' }] }]);
  });

  test('is resolved by hand, and the next failure is a new one', async () => {
    const tenant = await panel.world.tenant();
    const node = await tenant.node();
    await run(tenant, node, 'failed');
    const [{ id } = { id: '' }] = await alerts(tenant);
    await tenant.rest(`/api/fleet/alerts/${id}/resolve`, { method: 'POST' });
    expect(await alerts(tenant, 'RESOLVED')).toEqual([
      { id, status: 'RESOLVED', count: 1, resolution: 'BY_HAND' },
    ]);
    await run(tenant, node, 'failed');
    expect(await counts(tenant)).toEqual([1]);
  });

  test('is told live and to channels, when it fires and when it is over', async () => {
    const tenant = await panel.world.tenant();
    await using receiver = await WebhookReceiver.start();
    await subscribe(tenant, receiver);
    const node = await tenant.node();
    await using live = new Live(
      panel.panel.url,
      tenant.token,
      'subscription { alertChanged { rule status count } }',
    );
    await live.opened();
    await run(tenant, node, 'failed');
    await soon(panel, async () => receiver.received.length === 1, 'the webhook');
    await run(tenant, node, 'success');
    await soon(panel, async () => receiver.received.length === 2, 'the other webhook');
    expect(receiver.received.map(({ body }) => body.type)).toEqual(['alert.firing', 'alert.resolved']);
    expect((await live.received(2)).map(({ data }) => data)).toEqual([
      { alertChanged: { rule: 'COMMAND_FAILED', status: 'FIRING', count: 1 } },
      { alertChanged: { rule: 'COMMAND_FAILED', status: 'RESOLVED', count: 1 } },
    ]);
  });

  test('is not seen by another tenant', async () => {
    const [tenant, foreign] = [await panel.world.tenant(), await panel.world.tenant()];
    await run(tenant, await tenant.node(), 'failed');
    const [{ id } = { id: '' }] = await alerts(tenant);
    expect(await alerts(foreign)).toEqual([]);
    for (const step of ['acknowledge', 'resolve']) {
      const { status } = await foreign.rest(`/api/fleet/alerts/${id}/${step}`, { method: 'POST' });
      expect(status).toBe(404);
    }
    expect(await counts(tenant)).toEqual([1]);
  });
});

describe('the rule', () => {
  test('raises nothing while it is disabled, and switching it off ends what it raised', async () => {
    const tenant = await panel.world.tenant();
    const node = await tenant.node();
    await run(tenant, node, 'failed');
    await updateRule(tenant, { kind: 'COMMAND_FAILED', isEnabled: false });
    await gone(tenant);
    await run(tenant, node, 'failed');
    expect(await alerts(tenant)).toEqual([]);
    expect(await alerts(tenant, 'RESOLVED')).toMatchObject([{ count: 1, resolution: 'RULE_DISABLED' }]);
  });

  test('sets the severity', async () => {
    const tenant = await panel.world.tenant();
    await updateRule(tenant, { kind: 'COMMAND_FAILED', severity: 'CRITICAL' });
    await run(tenant, await tenant.node(), 'failed');
    const { body } = await tenant.rest('/api/fleet/alerts?severity=critical');
    expect(body).toMatchObject([{ rule: 'command_failed', severity: 'critical', status: 'firing' }]);
  });

  test('is overridden for a group: another severity there, or nothing at all', async () => {
    const tenant = await panel.world.tenant();
    const [node, other] = [await tenant.node('build-1'), await tenant.node('web-1')];
    const group = await tenant.graphql<{ createInstanceGroup: { id: string } }>(
      `mutation { createInstanceGroup(input: { name: "builders", kind: LIVE, filter: { q: "build" } }) { id } }`,
    );
    const groupId = dataOf(group).createInstanceGroup.id;
    const override = async (more: object) =>
      dataOf(
        await tenant.graphql(
          'mutation($input: OverrideAlertRuleInput!) { overrideAlertRule(input: $input) { priority } }',
          { input: { kind: 'COMMAND_FAILED', groupId, ...more } },
        ),
      );
    await override({ severity: 'CRITICAL' });
    for (const each of [node, other]) await run(tenant, each, 'failed');
    const found = await tenant.graphql<{ alerts: { nodes: unknown[] } }>(
      '{ alerts { nodes { instanceName severity override { groupName } } } }',
    );
    expect(dataOf(found).alerts.nodes).toEqual([
      { instanceName: 'web-1', severity: 'WARNING', override: null },
      { instanceName: 'build-1', severity: 'CRITICAL', override: { groupName: 'builders' } },
    ]);
    await override({ isEnabled: false });
    await soon(panel, async () => (await alerts(tenant)).length === 1, 'the alert to be over');
    await run(tenant, node, 'failed');
    expect(await alerts(tenant)).toHaveLength(1);
  });

  test('has neither a threshold nor a time for which commands must fail', async () => {
    const tenant = await panel.world.tenant();
    const answer = await tenant.graphql(
      'mutation($input: UpdateAlertRuleInput!) { updateAlertRule(input: $input) { kind } }',
      { input: { kind: 'COMMAND_FAILED', threshold: 5, forSeconds: 60 } },
    );
    expect(refusal(answer)).toEqual({
      code: 'VALIDATION_FAILED',
      details: {
        'input.threshold': 'COMMAND_FAILED measures nothing',
        'input.forSeconds': 'COMMAND_FAILED fires at once',
      },
    });
  });
});
