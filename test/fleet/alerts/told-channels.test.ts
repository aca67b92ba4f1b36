import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { dataOf, refusal } from '../../support/answers.js';
import { startTestPanel, type TestPanel } from '../../support/panel.js';
import type { Tenant } from '../../support/world.js';
import { report, sent, takeOne } from '../commands/support/commands.js';
import { alertsOf, firing, soon, updateRule } from './support/panel.js';
import { createWebhook, deliveries, subscribe, WebhookReceiver } from './support/webhook.js';

let panel: TestPanel;
beforeAll(async () => {
  panel = await startTestPanel({ ALLOW_PRIVATE_TARGETS: '127.0.0.1' });
});
afterAll(async () => panel.stop());

const minute = 60_000;
const types = ({ received }: WebhookReceiver) => received.map(({ body }) => body.type);
const resolve = async (tenant: Tenant, id: string) =>
  tenant.rest(`/api/fleet/alerts/${id}/resolve`, { method: 'POST' });
const update = async (tenant: Tenant, input: object) =>
  dataOf(
    await tenant.graphql(
      'mutation($input: UpdateNotificationChannelInput!) { updateNotificationChannel(input: $input) { id } }',
      { input },
    ),
  );

/** A tenant whose nodes may fall silent without an outage speaking for their other alerts. */
async function tenantWithoutOutages(): Promise<Tenant> {
  const tenant = await panel.world.tenant();
  await updateRule(tenant, { kind: 'OFFLINE', isEnabled: false });
  return tenant;
}

/** Moves time on by minutes, and gives jobs real time for what became due. */
async function pass(minutes: number): Promise<void> {
  await panel.clock.advance(minutes * minute);
  await panel.clock.advance(5_000);
}

describe('the end of an alert', () => {
  test('is told to those that were told of its beginning, whatever its severity became, and to nobody else', async () => {
    await using first = await WebhookReceiver.start();
    await using late = await WebhookReceiver.start();
    const tenant = await panel.world.tenant();
    await subscribe(tenant, first, { minimumSeverity: 'WARNING' });
    const { node, alert } = await firing(panel, tenant);
    await soon(panel, async () => first.received.length === 1, 'the beginning');
    await subscribe(tenant, late);
    await updateRule(tenant, { kind: 'CPU', severity: 'INFO' });
    await node.beat({ cpu_percent: 98 });
    await soon(panel, async () => (await alertsOf(tenant))[0]?.severity === 'info', 'the new severity');
    await resolve(tenant, alert.id);
    await soon(panel, async () => first.received.length === 2, 'the end');
    expect([types(first), types(late)]).toEqual([['alert.firing', 'alert.resolved'], []]);
  });
});

test('receivers that take a message and say nothing hold up no other tenant', async () => {
  await using silent = await WebhookReceiver.start();
  await using receiver = await WebhookReceiver.start();
  silent.isSilent = true;
  const tenant = await panel.world.tenant();
  // Two at a time they would take longer than is waited for.
  for (let channel = 0; channel < 10; channel++) await subscribe(tenant, silent);
  await firing(panel, tenant);
  await soon(panel, async () => silent.received.length >= 3, 'as many as may be');
  const other = await panel.world.tenant();
  await subscribe(other, receiver);
  await firing(panel, other);
  await soon(panel, async () => receiver.received.length === 1, "the other's");
  expect(silent.mostOpen).toBe(3);
});

describe('a channel that was away for long', () => {
  /** Its next attempt is 21 minutes away. */
  async function away(receiver: WebhookReceiver) {
    receiver.answers.push(500, 500, 500, 500, 500);
    const tenant = await tenantWithoutOutages();
    const id = await subscribe(tenant, receiver);
    const { alert } = await firing(panel, tenant);
    await soon(panel, async () => receiver.received.length === 5, 'its attempts', 600);
    return { tenant, id, alert };
  }

  test('hears of the end soon after it', async () => {
    await using receiver = await WebhookReceiver.start();
    const { tenant, alert } = await away(receiver);
    await resolve(tenant, alert.id);
    await soon(panel, async () => receiver.received.length === 6, 'the end');
    expect(types(receiver).at(-1)).toBe('alert.resolved');
  });

  test('hears what it missed as soon as it takes something, or is changed', async () => {
    await using receiver = await WebhookReceiver.start();
    const { tenant, id } = await away(receiver);
    dataOf(
      await tenant.graphql('mutation($id: ID!) { sendTestNotification(channelId: $id) { id } }', { id }),
    );
    await soon(panel, async () => receiver.received.length === 7, 'the test, and the beginning');
    expect(types(receiver).slice(5)).toEqual(['test', 'alert.firing']);
    await using other = await WebhookReceiver.start();
    const changed = await away(other);
    await update(changed.tenant, { id: changed.id, url: other.url });
    await soon(panel, async () => other.received.length === 6, 'the beginning');
  });
});

describe('a channel that is disabled', () => {
  test('gets nothing any more, not even what was on its way, but for tests', async () => {
    await using receiver = await WebhookReceiver.start();
    receiver.answers.push(500);
    const tenant = await tenantWithoutOutages();
    const id = await subscribe(tenant, receiver);
    await firing(panel, tenant);
    await soon(panel, async () => receiver.received.length === 1, 'the first attempt');
    await update(tenant, { id, isEnabled: false });
    await soon(panel, async () => (await deliveries(tenant))[0]?.status === 'FAILED', 'its end');
    expect((await deliveries(tenant))[0]?.attempts).toEqual([
      { statusCode: 500, error: 'Answered 500' },
      { statusCode: null, error: 'The channel is disabled' },
    ]);
    const send = 'mutation($id: ID!) { sendTestNotification(channelId: $id) { id } }';
    dataOf(await tenant.graphql(send, { id }));
    await soon(panel, async () => receiver.received.length === 2, 'the test');
    expect(types(receiver)).toEqual(['alert.firing', 'test']);
  });
});

describe('a channel that wants an alert only after it began is told of it', () => {
  test('when the severity is raised', async () => {
    await using receiver = await WebhookReceiver.start();
    const tenant = await tenantWithoutOutages();
    await subscribe(tenant, receiver, { minimumSeverity: 'CRITICAL' });
    await updateRule(tenant, { kind: 'CPU', severity: 'WARNING' });
    await updateRule(tenant, { kind: 'COMMAND_FAILED', severity: 'WARNING' });
    const { node } = await firing(panel, tenant);
    const fail = async () => {
      await sent(tenant, [node]);
      const handed = await takeOne(node);
      await report(node, handed, 'in_progress');
      expect(await report(node, handed, 'failed')).toBe(204);
    };
    await fail();
    await soon(panel, async () => (await alertsOf(tenant)).length === 2, 'both alerts');
    await pass(1);
    expect(types(receiver)).toEqual([]);
    await updateRule(tenant, { kind: 'CPU', severity: 'CRITICAL' });
    await updateRule(tenant, { kind: 'COMMAND_FAILED', severity: 'CRITICAL' });
    await node.beat({ cpu_percent: 98 });
    await fail();
    const told = () => receiver.received.flatMap(({ body }) => body.data.alerts.map(({ rule }) => rule));
    await soon(panel, async () => told().length >= 2, 'the alerts');
    expect(told().toSorted()).toEqual(['command_failed', 'cpu']);
  });

  test('when it is enabled again after a 410', async () => {
    await using receiver = await WebhookReceiver.start();
    receiver.answers.push(410);
    const tenant = await tenantWithoutOutages();
    const id = await subscribe(tenant, receiver);
    await firing(panel, tenant, 'first');
    await soon(panel, async () => (await deliveries(tenant))[0]?.status === 'FAILED', 'the 410');
    await firing(panel, tenant, 'second');
    await pass(1);
    expect(receiver.received).toHaveLength(1);
    await update(tenant, { id, isEnabled: true });
    await soon(panel, async () => receiver.received.length === 2, 'the second alert');
    expect(receiver.received[1]!.body.data.alerts.map((alert) => alert.instance_name)).toEqual(['second']);
  });

  test('when its minimum severity is lowered', async () => {
    await using receiver = await WebhookReceiver.start();
    const tenant = await tenantWithoutOutages();
    await updateRule(tenant, { kind: 'CPU', severity: 'WARNING' });
    const id = await subscribe(tenant, receiver, { minimumSeverity: 'CRITICAL' });
    await firing(panel, tenant);
    await pass(1);
    expect(types(receiver)).toEqual([]);
    await update(tenant, { id, minimumSeverity: 'WARNING' });
    await soon(panel, async () => receiver.received.length === 1, 'the alert');
    expect(types(receiver)).toEqual(['alert.firing']);
  });
});

describe('a webhook whose secret cannot be opened', () => {
  test('notes an attempt each time, without the reason, and is given up in the end', async () => {
    await using receiver = await WebhookReceiver.start();
    const tenant = await tenantWithoutOutages();
    const id = await subscribe(tenant, receiver);
    await panel.sql("update fleet.notification_channel set sealed_secret = 'x' where id = $1", [id]);
    await firing(panel, tenant);
    const attempts = async () => (await deliveries(tenant))[0]?.attempts ?? [];
    await soon(panel, async () => (await attempts()).length >= 2, 'two attempts');
    expect((await attempts()).slice(0, 2)).toEqual(
      Array(2).fill({ statusCode: null, error: 'Something went wrong on our side' }),
    );
    await panel.sql(
      `update fleet.notification_delivery set next_attempt_at = $1,
         attempts = jsonb_path_query_array(attempts || attempts || attempts || attempts || attempts, '$[0 to 8]')
       where tenant_id = $2`,
      [panel.clock.now(), tenant.id],
    );
    await soon(panel, async () => (await deliveries(tenant))[0]?.status === 'FAILED', 'the end');
    expect(await attempts()).toHaveLength(10);
  });
});

describe('an alert that goes on firing', () => {
  test('is not told again under a silence; when that is over, the one that was due is told once', async () => {
    await using receiver = await WebhookReceiver.start();
    const tenant = await tenantWithoutOutages();
    await subscribe(tenant, receiver, { repeatIntervalMinutes: 30 });
    await firing(panel, tenant);
    await soon(panel, async () => receiver.received.length === 1, 'the beginning');
    const silence = `mutation($endsAt: DateTime!) { createSilence(input: { endsAt: $endsAt, comment: "x",
      matchers: [{ field: RULE, operator: EQUALS, value: "cpu" }] }) { id } }`;
    const made = await tenant.graphql<{ createSilence: { id: string } }>(silence, {
      endsAt: new Date(panel.clock.now().getTime() + 120 * minute).toISOString(),
    });
    const { id } = dataOf(made).createSilence;
    for (let half = 0; half < 2; half += 1) await pass(31);
    expect(types(receiver)).toEqual(['alert.firing']);
    const login = await panel.world.login(tenant.account.email, tenant.account.password);
    Object.assign(tenant, { token: login.body.access_token });
    dataOf(await tenant.graphql('mutation($id: ID!) { expireSilence(id: $id) { id } }', { id }));
    await soon(panel, async () => receiver.received.length === 2, 'the repetition that was due');
    await pass(10);
    expect(receiver.received).toHaveLength(2);
  });

  test('is not told again to a channel that is yet to take what it was told', async () => {
    await using receiver = await WebhookReceiver.start();
    receiver.answers.push(500, 500, 500, 500);
    const tenant = await tenantWithoutOutages();
    await subscribe(tenant, receiver, { repeatIntervalMinutes: 5 });
    await firing(panel, tenant);
    await soon(panel, async () => receiver.received.length === 5, 'it to be taken', 600);
    expect(new Set(receiver.received.map(({ id }) => id)).size).toBe(1);
    expect(await deliveries(tenant)).toHaveLength(1);
    await soon(panel, async () => receiver.received.length === 6, 'the next repetition', 400);
    expect(types(receiver)).toEqual(Array(6).fill('alert.firing'));
  });

  test('is told again as the channel has it now, whatever it had when it was first told', async () => {
    await using receiver = await WebhookReceiver.start();
    const tenant = await tenantWithoutOutages();
    const id = await subscribe(tenant, receiver, { repeatIntervalMinutes: 0 });
    await firing(panel, tenant);
    await soon(panel, async () => receiver.received.length === 1, 'the beginning');
    await update(tenant, { id, repeatIntervalMinutes: 5 });
    await soon(panel, async () => receiver.received.length === 2, 'the repetition', 400);
    expect(types(receiver)).toEqual(['alert.firing', 'alert.firing']);
  });

  test('can be told again every five minutes to a week, or never', async () => {
    const tenant = await panel.world.tenant();
    const make = async (repeatIntervalMinutes: number) =>
      tenant.graphql(createWebhook, {
        input: { name: 'x', url: 'http://127.0.0.1:8080/hook', repeatIntervalMinutes },
      });
    for (const minutes of [-1, 1, 4, 10_081]) {
      expect(refusal(await make(minutes))).toMatchObject({
        details: { 'input.repeatIntervalMinutes': expect.stringContaining('from 5 to 10080') },
      });
    }
    for (const minutes of [0, 5, 10_080]) dataOf(await make(minutes));
  });
});
