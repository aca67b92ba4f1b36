import { createHmac } from 'node:crypto';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { WebhookLedger } from '#subgraphs/billing/webhook/ledger.job.js';
import { replayEvents } from '#subgraphs/billing/webhook/replay.service.js';

import { databaseOf } from '../security/subgraphs.js';
import { dataOf } from '../support/answers.js';
import { until } from '../support/world.js';
import {
  applied,
  change,
  customerOf,
  giveCard,
  pass,
  proTenant,
  signedIn,
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

const faults = async () =>
  ((await (await fetch(`${panel.stripe.url}/_sandbox/faults`)).json()) as { faults: unknown[] }).faults;

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

test('an answer of Stripe that comes late undoes nothing that is newer', async () => {
  const tenant = await panel.world.tenant();
  const customer = await giveCard(panel, tenant);
  await applied(panel);
  // What is answered is of the moment in which it was asked: no subscription.
  panel.stripe.addFault({ kind: 'delay', method: 'GET', path: '/v1/subscriptions', delayMs: 3_000, next: 1 });
  const body = event(customer);
  expect(await post(body, sign(body))).toBe(200);
  await until(async () => (await faults()).length === 0, 'Stripe to be asked');
  dataOf(await change(tenant, { plan: 'PRO' }));
  await applied(panel);
  expect(await subscriptionOf(tenant)).toMatchObject({ plan: 'PRO', status: 'ACTIVE' });
}, 120_000);

test('webhooks of many customers at once are applied, each of what is so at Stripe, with and without news', async () => {
  const tenants = await Promise.all(Array.from({ length: 6 }, async () => proTenant(panel)));
  await applied(panel);
  panel.stripe.deliver({ lose: 1_000_000 });
  for (const [at, { customer }] of tenants.entries()) {
    const [subscription] = (await panel.sdk.subscriptions.list({ customer })).data;
    if (at % 2 === 0) await panel.sdk.subscriptions.update(subscription!.id, { cancel_at_period_end: true });
  }
  await panel.stripe.delivered();
  panel.stripe.deliver({ lose: 0 });
  const versions = async () =>
    panel.sql<{ version: string }>(
      'select version from billing.subscription where tenant_id = any($1) order by array_position($1, tenant_id)',
      [tenants.map(({ id }) => id)],
    );
  const before = await versions();
  const bodies = tenants.flatMap(({ customer }) => Array.from({ length: 5 }, () => event(customer)));
  await Promise.all(bodies.map((body) => post(body, sign(body))));
  await applied(panel);
  const ends = await Promise.all(tenants.map(async (tenant) => (await subscriptionOf(tenant)).cancelAt));
  expect(ends.map((cancelAt) => cancelAt !== null)).toEqual([true, false, true, false, true, false]);
  // Each change is told once, and nothing is told of those who have none.
  expect((await versions()).map(({ version }, at) => Number(version) - Number(before[at]!.version))).toEqual([
    1, 0, 1, 0, 1, 0,
  ]);
}, 120_000);

test('what a lost webhook told is known within the hour', async () => {
  const tenant = await proTenant(panel);
  await applied(panel);
  panel.stripe.deliver({ lose: 100 });
  const [subscription] = (await panel.sdk.subscriptions.list({ customer: tenant.customer })).data;
  await panel.sdk.subscriptions.update(subscription!.id, { cancel_at_period_end: true });
  await panel.stripe.delivered();
  expect((await subscriptionOf(tenant)).cancelAt).toBeNull();
  panel.stripe.deliver({ lose: 0 });
  await pass(panel, 61 * 60_000);
  const later = await signedIn(panel, tenant);
  await until(async () => (await subscriptionOf(later)).cancelAt !== null, 'the lost change to be made good');
  expect((await subscriptionOf(later)).plan).toBe('PRO');
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
  expect((await subscriptionOf(tenant)).plan).toBe('PRO');
});

function permutations<T>(items: readonly T[]): T[][] {
  if (items.length <= 1) return [[...items]];
  return items.flatMap((item, at) =>
    permutations(items.filter((_, other) => other !== at)).map((rest) => [item, ...rest]),
  );
}

test('every order of six life-cycle events, each tenant told one of them twice, ends in the same state', async () => {
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
  panel.stripe.deliver({ lose: 1_000_000 });
  const [price] = (await panel.sdk.prices.list({ lookup_keys: ['quazzar_pro_monthly'] })).data;
  // Half of the customers have been cancelled for good by the time that their tenants are told of it.
  const customers: string[] = [];
  const subscribe = async (at: number) => {
    const { id: customer } = await panel.sdk.customers.create({
      payment_method: 'pm_card_visa',
      invoice_settings: { default_payment_method: 'pm_card_visa' },
    });
    const { id } = await panel.sdk.subscriptions.create({ customer, items: [{ price: price!.id }] });
    if (at % 2 === 1) await panel.sdk.subscriptions.cancel(id);
    customers[at] = customer;
  };
  await Promise.all(Array.from({ length: 48 }, async (_, at) => subscribe(at)));
  await panel.stripe.delivered();
  panel.stripe.deliver({ lose: 0 });
  // A tenant for each order, which has its customer once the tenants before are gone.
  for (let from = 0; from < orders.length; from += customers.length) {
    await panel.sql(`delete from billing.subscription where tenant_id like 'org_order%'`);
    await panel.sql(
      `insert into billing.subscription (tenant_id, customer_id)
       select 'org_order' || $2 + c.at - 1, c.customer from unnest($1::text[]) with ordinality as c (customer, at)`,
      [customers, from],
    );
    await Promise.all(
      customers.map(async (customer, more) => {
        const at = from + more;
        const order = orders[at]!;
        for (const type of [...order, order[at % 6]!]) {
          const body = event(customer, type, `evt_order${at}_${type}`);
          expect(await post(body, sign(body))).toBe(200);
        }
      }),
    );
    await applied(panel, 240_000);
    const ends = await panel.sql(
      `select split_part(tenant_id, 'order', 2)::int % 2 as half, plan, subscribed_plan, status, billing_cycle, currency,
         period_end, cancel_at, ended_at is not null as has_ended, past_due_since, is_read_only, count(*)::int as tenants
       from billing.subscription where tenant_id like 'org_order%' group by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 order by 1`,
    );
    expect(ends.map(({ plan, status, has_ended, tenants }) => [plan, status, has_ended, tenants])).toEqual([
      ['PRO', 'ACTIVE', false, customers.length / 2],
      ['FREE', 'CANCELED', true, customers.length / 2],
    ]);
  }
  const [{ events }] = (await panel.sql<{ events: number }>(
    `select count(*)::int as events from billing.webhook_event where tenant_id like 'org_order%'`,
  )) as [{ events: number }];
  expect(events).toBe(720 * 6);
}, 600_000);
