import { createHmac } from 'node:crypto';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { WebhookLedger } from '#subgraphs/billing/webhook/ledger.service.js';
import { replayEvents } from '#subgraphs/billing/webhook/replay.service.js';

import { databaseOf } from '../security/subgraphs.js';
import { until } from '../support/world.js';
import {
  applied,
  customerOf,
  proTenant,
  startBillingPanel,
  subscriptionOf,
  webhookSecret,
  type BillingPanel,
} from './support/billing-panel.js';

let panel: BillingPanel;
beforeAll(async () => {
  panel = await startBillingPanel();
});
afterAll(async () => panel.stop());

const now = () => Math.floor(panel.clock.now().getTime() / 1000);

function sign(body: string, { at = now(), secret = webhookSecret } = {}): string {
  const signature = createHmac('sha256', secret).update(`${at}.${body}`).digest('hex');
  return `t=${at},v1=${signature}`;
}

async function post(body: string, signature: string | undefined): Promise<number> {
  const response = await fetch(`${panel.panel.url}/webhooks/stripe`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(signature === undefined ? {} : { 'stripe-signature': signature }),
    },
    body,
  });
  await response.arrayBuffer();
  return response.status;
}

let made = 0;
const event = (customer: string, type = 'customer.subscription.updated', id = `evt_test${++made}`) =>
  JSON.stringify({
    id,
    object: 'event',
    api_version: '2026-10-28.endive',
    created: now(),
    data: { object: { id: 'sub_any', object: 'subscription', customer, status: 'active' } },
    livemode: false,
    pending_webhooks: 1,
    request: { id: null, idempotency_key: null },
    type,
  });

const ledger = async () =>
  (await panel.sql<{ count: number }>('select count(*)::int as count from billing.webhook_event'))[0]!.count;

test('what is altered, not signed, signed by another, stale, or of the future is refused and leaves nothing', async () => {
  const tenant = await panel.world.tenant();
  const customer = await customerOf(panel, tenant);
  await applied(panel);
  const before = await ledger();
  const body = event(customer);
  const refused = [
    await post(body.replace('active', 'unpaid'), sign(body)),
    await post(body, undefined),
    await post(body, sign(body, { secret: `whsec_${'x'.repeat(32)}` })),
    await post(body, sign(body, { at: now() - 301 })),
    await post(body, sign(body, { at: now() + 301 })),
    await post(body, sign(body).replace('v1=', 'v0=')),
    await post(body, `t=${now()},v1=${'0'.repeat(64)}`),
    await post(body, 'nonsense'),
    await post('', sign('')),
  ];
  expect(refused).toEqual(refused.map(() => 400));
  expect(await ledger()).toBe(before);
  expect([await post(body, sign(body)), await post(event(customer), sign(event(customer)))]).toEqual([
    200, 400,
  ]);
});

test('times at the edges of five minutes count, in both directions', async () => {
  const customer = await customerOf(panel, await panel.world.tenant());
  const [early, late] = [event(customer), event(customer)];
  expect([
    await post(early, sign(early, { at: now() - 300 })),
    await post(late, sign(late, { at: now() + 300 })),
  ]).toEqual([200, 200]);
});

test('an event that comes again is acknowledged, and acted upon once', async () => {
  const tenant = await panel.world.tenant();
  const customer = await customerOf(panel, tenant);
  await applied(panel);
  const body = event(customer);
  const statuses = await Promise.all(Array.from({ length: 10 }, () => post(body, sign(body))));
  expect(statuses).toEqual(statuses.map(() => 200));
  await applied(panel);
  const rows = await panel.sql(
    `select event_id from billing.webhook_event where tenant_id = $1 and event_id = $2`,
    [tenant.id, (JSON.parse(body) as { id: string }).id],
  );
  expect(rows).toHaveLength(1);
});

test("an event of a customer that is nobody's is acknowledged and kept nowhere", async () => {
  const before = await ledger();
  const body = event('cus_nobody');
  expect(await post(body, sign(body))).toBe(200);
  expect(await ledger()).toBe(before);
});

test('a payload is not believed: what it says of a subscription is asked for at Stripe', async () => {
  const tenant = await panel.world.tenant();
  const customer = await customerOf(panel, tenant);
  const body = event(customer, 'customer.subscription.created');
  expect(await post(body, sign(body))).toBe(200);
  await applied(panel);
  expect(await subscriptionOf(tenant)).toMatchObject({ plan: 'FREE', status: 'ACTIVE' });
});

test('a burst of webhooks is neither limited nor charged to anybody', async () => {
  const customer = await customerOf(panel, await panel.world.tenant());
  const bodies = Array.from({ length: 300 }, () => event(customer));
  const statuses = await Promise.all(bodies.map((body) => post(body, sign(body))));
  expect(new Set(statuses)).toEqual(new Set([200]));
  await applied(panel);
});

test('what a lost webhook told is known within the hour', async () => {
  const tenant = await proTenant(panel);
  await applied(panel);
  panel.stripe.deliver({ lose: 100 });
  const [subscription] = (await panel.sdk.subscriptions.list({ customer: tenant.customer })).data;
  await panel.sdk.subscriptions.update(subscription!.id, { cancel_at_period_end: true });
  await panel.stripe.delivered();
  expect((await subscriptionOf(tenant)).cancelAt).toBeNull();
  panel.stripe.deliver({ lose: 0 });
  await panel.clock.advance(61 * 60_000);
  await panel.clock.advanceUntil(() => false, 1_000).catch(() => undefined);
  await until(
    async () => (await subscriptionOf(tenant)).cancelAt !== null,
    'the lost change to be made good',
  );
});

test('an operator replays events: what was lost is acted upon at once', async () => {
  const tenant = await proTenant(panel);
  await applied(panel);
  const since = new Date(panel.clock.now().getTime() - 1_000);
  panel.stripe.deliver({ lose: 100 });
  const [subscription] = (await panel.sdk.subscriptions.list({ customer: tenant.customer })).data;
  await panel.sdk.subscriptions.update(subscription!.id, { cancel_at_period_end: true });
  await panel.stripe.delivered();
  panel.stripe.deliver({ lose: 0 });
  const database = await databaseOf(panel, 'billing');
  try {
    const counts = await replayEvents(panel.sdk, new WebhookLedger(database, panel.clock), { since });
    expect(counts.taken).toBeGreaterThan(0);
  } finally {
    await database.close();
  }
  await until(async () => (await subscriptionOf(tenant)).cancelAt !== null, 'the replayed change');
});

function permutations<T>(items: readonly T[]): T[][] {
  if (items.length <= 1) return [[...items]];
  return items.flatMap((item, at) =>
    permutations(items.filter((_, other) => other !== at)).map((rest) => [item, ...rest]),
  );
}

test('every order of six life-cycle events, each told twice, ends in the same state', async () => {
  const tenants = [];
  for (let index = 0; index < 8; index += 1) tenants.push(await proTenant(panel));
  await applied(panel);
  const types = [
    'customer.subscription.created',
    'invoice.paid',
    'customer.subscription.updated',
    'invoice.payment_failed',
    'customer.subscription.paused',
    'customer.subscription.deleted',
  ];
  const orders = permutations(types);
  expect(orders).toHaveLength(720);
  const state = async (tenantId: string) =>
    (
      await panel.sql(
        `select plan, subscribed_plan, status, billing_cycle, stripe_id, period_end, cancel_at, ended_at, past_due_since,
           is_read_only, granted_plan from billing.subscription where tenant_id = $1`,
        [tenantId],
      )
    )[0];
  // Half of them have been cancelled for good meanwhile, of which nobody was told yet.
  panel.stripe.deliver({ lose: 1_000 });
  for (const { customer } of tenants.slice(4)) {
    const [subscription] = (await panel.sdk.subscriptions.list({ customer })).data;
    await panel.sdk.subscriptions.cancel(subscription!.id);
  }
  await panel.stripe.delivered();
  panel.stripe.deliver({ lose: 0 });
  const started = await Promise.all(tenants.map(async ({ id }) => state(id)));
  const ends = new Map<string, Set<string>>();
  for (let from = 0; from < orders.length; from += tenants.length) {
    await Promise.all(
      tenants.map(async (tenant, at) => {
        const order = orders[from + at]!;
        // Each order begins where the first did.
        const before = started[at] as Record<string, unknown>;
        await panel.sql(
          `update billing.subscription set plan = $2, subscribed_plan = $3, status = $4, cancel_at = null, ended_at = null,
             last_decision = $5 where tenant_id = $1`,
          [tenant.id, before['plan'], before['subscribed_plan'], before['status'], `["PRO",false,null]`],
        );
        for (const type of order) {
          const body = event(tenant.customer, type);
          await post(body, sign(body));
          await post(body, sign(body));
        }
      }),
    );
    await applied(panel);
    for (const [at, tenant] of tenants.entries()) {
      const seen = ends.get(tenant.id) ?? new Set();
      ends.set(tenant.id, seen.add(JSON.stringify(await state(tenant.id))));
      expect([at, seen.size]).toEqual([at, 1]);
    }
  }
  const plans = await Promise.all(tenants.map(async (tenant) => (await subscriptionOf(tenant)).status));
  expect(plans).toEqual([
    ...Array.from({ length: 4 }, () => 'ACTIVE'),
    ...Array.from({ length: 4 }, () => 'CANCELED'),
  ]);
}, 240_000);
