import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { dataOf, refusal } from '../../support/answers.js';
import { startTestPanel, type TestPanel } from '../../support/panel.js';
import type { Tenant } from '../../support/world.js';
import { alertsOf, firing, soon, updateRule } from './support/panel.js';
import { createWebhook, deliveries, subscribe, WebhookReceiver } from './support/webhook.js';

let panel: TestPanel;
beforeAll(async () => {
  panel = await startTestPanel({ ALLOW_PRIVATE_TARGETS: '127.0.0.1' });
});
afterAll(async () => panel.stop());

const ended = async (tenant: Tenant) => {
  const all = await deliveries(tenant);
  return all.length > 0 && all.every(({ status }) => status !== 'PENDING');
};
const refused = (statusCode: number) => ({ statusCode, error: `Answered ${statusCode}` });
const kinds = ({ received }: WebhookReceiver) =>
  received.map(({ body }) => `${body.type} ${body.data.alerts.map(({ rule }) => rule).join(' ')}`);

describe('a webhook', () => {
  test('tells that an alert fires and that it is over, signed as Standard Webhooks has it', async () => {
    await using receiver = await WebhookReceiver.start();
    const tenant = await panel.world.tenant();
    await subscribe(tenant, receiver);
    const { node, alert } = await firing(panel, tenant, 'web-1');
    await soon(panel, async () => receiver.received.length === 1, 'the message');
    await tenant.rest(`/api/fleet/alerts/${alert.id}/resolve`, { method: 'POST' });
    await soon(panel, async () => receiver.received.length === 2, 'its end');
    const told = {
      id: alert.id,
      fingerprint: `cpu/${node.id}`,
      instance_id: node.id,
      instance_name: 'web-1',
      rule: 'cpu',
      component: null,
      severity: 'warning',
      status: 'firing',
      message: 'The CPU is at 97.3 %, the limit is 90 %',
      value: 97.3,
      threshold: 90,
      count: 1,
      started_at: alert.started_at,
      resolved_at: null,
    };
    const isTime = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    expect(receiver.received.map(({ body }) => body)).toEqual([
      { type: 'alert.firing', timestamp: isTime, data: { tenant_id: tenant.id, alerts: [told] } },
      {
        type: 'alert.resolved',
        timestamp: isTime,
        data: { tenant_id: tenant.id, alerts: [{ ...told, status: 'resolved', resolved_at: isTime }] },
      },
    ]);
    expect(receiver.received.map(({ signedBy }) => signedBy)).toEqual([receiver.secrets, receiver.secrets]);
    const late = receiver.received.map(({ timestamp }) => panel.clock.now().getTime() / 1000 - timestamp);
    expect(Math.max(...late)).toBeLessThan(60);
  });

  test('that fails is tried again with growing pauses, under the same id, until it is taken', async () => {
    await using receiver = await WebhookReceiver.start();
    receiver.answers.push(500, 503, 302);
    const tenant = await panel.world.tenant();
    await updateRule(tenant, { kind: 'OFFLINE', isEnabled: false });
    await subscribe(tenant, receiver);
    await firing(panel, tenant);
    await soon(panel, async () => ended(tenant), 'the delivery', 200);
    expect(await deliveries(tenant)).toEqual([
      {
        id: receiver.received[0]?.id,
        status: 'DELIVERED',
        attempts: [refused(500), refused(503), refused(302), { statusCode: 204, error: null }],
      },
    ]);
    expect(new Set(receiver.received.map(({ id }) => id)).size).toBe(1);
    expect(receiver.received.every(({ signedBy }) => signedBy.length === 1)).toBe(true);
    const at = receiver.received.map(({ timestamp }) => timestamp);
    const pauses = at.slice(1).map((time, index) => time - at[index]!);
    expect(pauses[0]).toBeGreaterThanOrEqual(5);
    expect(pauses[1]).toBeGreaterThanOrEqual(20);
    expect(pauses[2]).toBeGreaterThanOrEqual(80);
  });

  test('that was away hears the newest of an alert last', async () => {
    await using receiver = await WebhookReceiver.start();
    receiver.answers.push(500, 500);
    const tenant = await panel.world.tenant();
    await updateRule(tenant, { kind: 'OFFLINE', isEnabled: false });
    await updateRule(tenant, { kind: 'CPU', forSeconds: 0 });
    await subscribe(tenant, receiver);
    const nodes = [await tenant.node(), await tenant.node()];
    await Promise.all(nodes.map((node) => node.beat({ cpu_percent: 99 })));
    await soon(panel, async () => receiver.received.length === 1, 'the first attempt');
    const [first] = await alertsOf(tenant);
    await tenant.rest(`/api/fleet/alerts/${first!.id}/resolve`, { method: 'POST' });
    await soon(panel, async () => ended(tenant), 'the deliveries', 120);
    expect(kinds(receiver)).toEqual([
      'alert.firing cpu cpu',
      'alert.firing cpu cpu',
      'alert.firing cpu cpu',
      'alert.resolved cpu',
    ]);
  });

  test('that was away until an alert was over is told only that it is over', async () => {
    await using receiver = await WebhookReceiver.start();
    receiver.answers.push(500);
    const tenant = await panel.world.tenant();
    await updateRule(tenant, { kind: 'OFFLINE', isEnabled: false });
    await subscribe(tenant, receiver);
    const { alert } = await firing(panel, tenant);
    await soon(panel, async () => receiver.received.length === 1, 'the first attempt');
    await tenant.rest(`/api/fleet/alerts/${alert.id}/resolve`, { method: 'POST' });
    await soon(panel, async () => receiver.received.length === 2, 'the end', 120);
    expect(kinds(receiver)).toEqual(['alert.firing cpu', 'alert.resolved cpu']);
    await soon(panel, async () => ended(tenant), 'the log');
    expect(await deliveries(tenant)).toMatchObject([
      { status: 'DELIVERED' },
      {
        status: 'FAILED',
        attempts: [refused(500), { statusCode: null, error: 'The alerts were over before it was taken' }],
      },
    ]);
  });

  test('is given up after three days, however few attempts were noted', async () => {
    await using receiver = await WebhookReceiver.start();
    receiver.answers.push(500);
    const tenant = await panel.world.tenant();
    await subscribe(tenant, receiver);
    await firing(panel, tenant);
    await soon(panel, async () => (await deliveries(tenant))[0]?.attempts.length === 1, 'the first attempt');
    // As if all since had been broken off.
    await panel.sql(
      `update fleet.notification_delivery set created_at = created_at - interval '73 hours', next_attempt_at = $2
       where tenant_id = $1`,
      [tenant.id, panel.clock.now()],
    );
    await soon(panel, async () => ended(tenant), 'its end');
    expect((await deliveries(tenant))[0]).toMatchObject({
      status: 'FAILED',
      attempts: [refused(500), { statusCode: null, error: 'It could not be delivered for three days' }],
    });
    expect(receiver.received).toHaveLength(1);
  });

  test('that answers 410 is left alone from then on, until it is enabled again', async () => {
    await using receiver = await WebhookReceiver.start();
    receiver.answers.push(410);
    const tenant = await panel.world.tenant();
    const id = await subscribe(tenant, receiver);
    await firing(panel, tenant);
    await soon(panel, async () => ended(tenant), 'the delivery');
    const channels = '{ notificationChannels { nodes { isEnabled disabledReason } } }';
    expect(dataOf(await tenant.graphql(channels))).toEqual({
      notificationChannels: { nodes: [{ isEnabled: false, disabledReason: 'It answered 410 Gone' }] },
    });
    expect(await deliveries(tenant)).toMatchObject([{ status: 'FAILED', attempts: [refused(410)] }]);
    await tenant.graphql(
      'mutation($id: ID!) { updateNotificationChannel(input: { id: $id, isEnabled: true }) { id } }',
      { id },
    );
    expect(dataOf(await tenant.graphql(channels))).toEqual({
      notificationChannels: { nodes: [{ isEnabled: true, disabledReason: null }] },
    });
  });

  test('is told of its severity and above only, and of ends only if it wants to', async () => {
    await using receiver = await WebhookReceiver.start();
    const tenant = await panel.world.tenant();
    await subscribe(tenant, receiver, { minimumSeverity: 'CRITICAL', tellsResolved: false });
    const { alert } = await firing(panel, tenant);
    await updateRule(tenant, { kind: 'CPU', severity: 'CRITICAL' });
    await tenant.rest(`/api/fleet/alerts/${alert.id}/resolve`, { method: 'POST' });
    await firing(panel, tenant, 'loud');
    await soon(panel, async () => receiver.received.length > 0, 'the message');
    expect(receiver.received.map(({ body }) => body.data.alerts.map((told) => told.instance_name))).toEqual([
      ['loud'],
    ]);
    expect(kinds(receiver)).toEqual(['alert.firing cpu']);
  });
});

describe('one page', () => {
  test('a square wave gives one message', async () => {
    await using receiver = await WebhookReceiver.start();
    const tenant = await panel.world.tenant();
    await subscribe(tenant, receiver);
    const { node } = await firing(panel, tenant);
    for (let wave = 0; wave < 6; wave += 1) {
      for (const cpu of [99, 1]) {
        await panel.clock.advance(30_000);
        await node.beat({ cpu_percent: cpu });
        await panel.clock.advance(5_000);
      }
    }
    const isCounted = async () => (await alertsOf(tenant))[0]?.count === 7;
    await soon(panel, isCounted, 'all beats to be counted');
    await soon(panel, async () => ended(tenant), 'the delivery');
    expect(kinds(receiver)).toEqual(['alert.firing cpu']);
  });

  test('a node that dies with everything wrong gives one message, not five', async () => {
    await using receiver = await WebhookReceiver.start();
    const tenant = await panel.world.tenant();
    await subscribe(tenant, receiver);
    const node = await tenant.node('doomed');
    const health = [{ component: 'backup', status: 'unhealthy' }];
    await node.beat({ cpu_percent: 100, memory_percent: 100, disk_percent: 100, health });
    await soon(panel, async () => receiver.received.length > 0, 'the outage', 150);
    await soon(panel, async () => ended(tenant), 'the delivery');
    await panel.clock.advance(30_000);
    expect(kinds(receiver)).toEqual(['alert.firing offline']);
    expect((await alertsOf(tenant)).map(({ rule }) => rule)).toEqual(['offline']);
  });

  test('what happens at once is told at once: two nodes, one message', async () => {
    await using receiver = await WebhookReceiver.start();
    const tenant = await panel.world.tenant();
    await subscribe(tenant, receiver);
    await updateRule(tenant, { kind: 'CPU', forSeconds: 0 });
    const nodes = [await tenant.node(), await tenant.node()];
    await Promise.all(nodes.map((node) => node.beat({ cpu_percent: 99 })));
    await soon(panel, async () => receiver.received.length > 0, 'the message');
    expect(kinds(receiver)).toEqual(['alert.firing cpu cpu']);
  });
});

describe('setting up', () => {
  test('answers the secret once; it is kept sealed and shown nowhere', async () => {
    await using receiver = await WebhookReceiver.start();
    const tenant = await panel.world.tenant();
    const id = await subscribe(tenant, receiver);
    const [secret = ''] = receiver.secrets;
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    const rows = await panel.sql<{ whole: string }>(
      'select to_jsonb(c)::text as whole from fleet.notification_channel c where id = $1',
      [id],
    );
    const written = await panel.sql('select payload from fleet.outbox where tenant_id = $1', [tenant.id]);
    expect(JSON.stringify([rows, written])).not.toContain(secret.slice(6, 40));
    const asked = await tenant.graphql('{ notificationChannels { nodes { sealedSecret } } }');
    expect(refusal(asked)).toMatchObject({ code: 'BAD_REQUEST' });
  });

  test('refuses addresses that are not for the public, and what is none', async () => {
    const tenant = await panel.world.tenant();
    const refuse = async (url: string) =>
      refusal(await tenant.graphql(createWebhook, { input: { name: 'x', url } }));
    expect(await refuse('http://169.254.169.254/latest')).toEqual({
      code: 'VALIDATION_FAILED',
      details: { 'input.url': '169.254.169.254 is not a public address' },
    });
    expect(await refuse('http://[::1]:4000/graphql')).toMatchObject({ code: 'VALIDATION_FAILED' });
    expect(await refuse('file:///etc/passwd')).toMatchObject({ code: 'VALIDATION_FAILED' });
    expect(await refuse('no url')).toMatchObject({ code: 'VALIDATION_FAILED' });
  });

  test('is for owners and administrators, of their own tenant; deleting twice is not found', async () => {
    await using receiver = await WebhookReceiver.start();
    const [mine, other] = [await panel.world.tenant(), await panel.world.tenant()];
    const id = await subscribe(mine, receiver);
    const mutations = [
      'deleteNotificationChannel(id: $id) { id }',
      'sendTestNotification(channelId: $id) { id }',
      'updateNotificationChannel(input: { id: $id, name: "x" }) { id }',
      'rotateWebhookSecret(input: { id: $id }) { secret }',
    ];
    for (const mutation of mutations) {
      const answer = await other.graphql(`mutation($id: ID!) { ${mutation} }`, { id });
      expect({ mutation, ...refusal(answer) }).toEqual({ mutation, code: 'NOT_FOUND' });
    }
    expect(dataOf(await other.graphql('{ notificationChannels { nodes { id } } }'))).toEqual({
      notificationChannels: { nodes: [] },
    });
    const remove = 'mutation($id: ID!) { deleteNotificationChannel(id: $id) { id } }';
    expect(dataOf(await mine.graphql(remove, { id }))).toEqual({ deleteNotificationChannel: { id } });
    expect(refusal(await mine.graphql(remove, { id }))).toEqual({ code: 'NOT_FOUND' });
  });

  test('ends at twenty channels', async () => {
    const tenant = await panel.world.tenant();
    const make = async () =>
      tenant.graphql(
        'mutation($input: CreateEmailChannelInput!) { createEmailChannel(input: $input) { recipients } }',
        {
          input: { name: 'mail', recipients: ['ops@example.com', 'ops@example.com'] },
        },
      );
    const answers = await Promise.all(Array.from({ length: 21 }, make));
    const failed = answers.filter(({ errors }) => errors);
    expect(failed.map(refusal)).toEqual([
      { code: 'LIMIT_REACHED', reason: 'CHANNELS_LIMIT', details: { limit: 20, used: 20 } },
    ]);
    expect(dataOf(answers.find(({ errors }) => !errors)!)).toEqual({
      createEmailChannel: { recipients: ['ops@example.com'] },
    });
  });
});
