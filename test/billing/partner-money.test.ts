import { afterAll, beforeAll, expect, test } from 'vitest';

import { provider } from '../identity/msp/support.js';
import { Mailbox } from '../identity/support/mailbox.js';
import { dataOf } from '../support/answers.js';
import { until, type Tenant } from '../support/world.js';
import {
  applied,
  change,
  customerOf,
  dayMs,
  giveCard,
  signedIn,
  startBillingPanel,
  subscriptionOf,
  type BillingPanel,
} from './support/billing-panel.js';
import {
  clientWithContract,
  couponsOf,
  ledgerOf,
  paidBy,
  partner,
  total,
  untilCoupons,
} from './support/partner-money.js';
import { approved, decide, decommission, enrollMany, untilTier } from './support/partners.js';

const [silver, gold] = ['quazzar_partner_silver_10', 'quazzar_partner_gold_20'];

let mailbox: Mailbox;
let panel: BillingPanel;
beforeAll(async () => {
  mailbox = await Mailbox.start();
  panel = await startBillingPanel({ settings: { SMTP_URL: mailbox.url } });
});
afterAll(async () => {
  await panel.stop();
  await mailbox[Symbol.asyncDispose]();
});

test('the tier’s discount comes onto the subscription, becomes another with the tier, and goes with it', async () => {
  const { tenant, customer, id } = await partner(panel, 5);
  const { data } = await panel.sdk.subscriptions.list({ customer });
  const other = await panel.sdk.coupons.create({ percent_off: 5, duration: 'forever' });
  await panel.sdk.subscriptions.update(data[0]!.id, { discounts: [{ coupon: other.id }] });
  await untilCoupons(panel, customer, [other.id, silver]);
  const discount = async () =>
    dataOf(
      await (
        await signedIn(panel, tenant)
      ).graphql<{ subscription: { partnerDiscountPercent: number } }>(
        '{ subscription { partnerDiscountPercent } }',
      ),
    ).subscription.partnerDiscountPercent;
  await until(async () => (await discount()) === 10, 'the discount to be shown');

  const [last] = await enrollMany(tenant, 20);
  await untilTier(tenant, id, 'tier_gold');
  await untilCoupons(panel, customer, [other.id, gold]);
  await decommission(tenant, last!);
  await untilTier(tenant, id, 'tier_silver');
  await untilCoupons(panel, customer, [other.id, silver]);
  dataOf(await decide(panel, 'suspendPartner', id));
  await untilCoupons(panel, customer, [other.id]);
  await until(async () => (await discount()) === 0, 'no discount to be shown');
  dataOf(await decide(panel, 'approvePartner', id));
  await untilCoupons(panel, customer, [other.id, silver]);
  // The next invoice is cheaper: 5 % first, and 10 % of what is left.
  // Longer than any month: an invoice is a draft for its first hour.
  await panel.clock.leap(32 * dayMs);
  panel.stripe.settle();
  await applied(panel);
  const [newest] = await paidBy(panel, customer);
  expect(newest!.amount).toBe(4900 - 245 - 466);
}, 180_000);

test('a partner that subscribes has its discount from the first invoice on, and was told so before', async () => {
  const tenant = await (await panel.world.tenant()).grantPlan('PRO');
  const customer = await giveCard(panel, tenant);
  await enrollMany(tenant, 5);
  const id = await approved(panel, tenant);
  await untilTier(tenant, id, 'tier_silver');
  const { previewPlanChange } = dataOf(
    await tenant.graphql<{ previewPlanChange: { amountDue: number; lines: { amount: number }[] } }>(
      `query($input: PreviewPlanChangeInput!) { previewPlanChange(input: $input) { amountDue lines { amount } } }`,
      { input: { plan: 'PRO', billingCycle: 'MONTHLY' } },
    ),
  );
  expect(previewPlanChange).toEqual({ amountDue: 4410, lines: [{ amount: 4900 }, { amount: -490 }] });
  dataOf(await change(tenant, { plan: 'PRO', billingCycle: 'MONTHLY' }));
  expect((await paidBy(panel, customer)).map(({ amount }) => amount)).toEqual([4410]);
  expect(await couponsOf(panel, customer)).toEqual([silver]);
  // An upgrade keeps it, and so does what follows a downgrade.
  dataOf(await change(tenant, { plan: 'PRO', billingCycle: 'YEARLY' }));
  expect((await paidBy(panel, customer)).map(({ amount }) => amount)).toEqual([44_100 - 4410, 4410]);
  dataOf(await change(tenant, { plan: 'PRO', billingCycle: 'MONTHLY' }));
  expect(await couponsOf(panel, customer)).toEqual([silver]);
  await panel.clock.leap(367 * dayMs);
  panel.stripe.settle();
  await applied(panel);
  expect((await paidBy(panel, customer)).map(({ amount }) => amount)).toEqual([4410, 44_100 - 4410, 4410]);
  expect(await couponsOf(panel, customer)).toEqual([silver]);
}, 120_000);

test('a tier that changes while a downgrade waits holds for what comes after it as well', async () => {
  const { tenant, customer, id } = await partner(panel, 5);
  await untilCoupons(panel, customer, [silver]);
  dataOf(await change(tenant, { plan: 'PRO', billingCycle: 'YEARLY' }));
  dataOf(await change(tenant, { plan: 'PRO', billingCycle: 'MONTHLY' }));
  dataOf(await decide(panel, 'suspendPartner', id));
  await untilCoupons(panel, customer, []);
  await panel.clock.leap(367 * dayMs);
  panel.stripe.settle();
  await applied(panel);
  expect((await paidBy(panel, customer))[0]!.amount).toBe(4900);
  expect((await subscriptionOf(await signedIn(panel, tenant))).billingCycle).toBe('MONTHLY');
}, 120_000);

test('a checkout page has the discount, unless a coupon is asked for', async () => {
  const tenant = await (await panel.world.tenant()).grantPlan('PRO');
  await enrollMany(tenant, 5);
  const id = await approved(panel, tenant);
  await untilTier(tenant, id, 'tier_silver');
  const coupon = await panel.sdk.coupons.create({ percent_off: 50, duration: 'once' });
  const session = async (input: Record<string, unknown>) => {
    dataOf(
      await tenant.graphql(
        'mutation($input: CreateCheckoutSessionInput!) { createCheckoutSession(input: $input) { url } }',
        { input: { plan: 'PRO', ...input } },
      ),
    );
    const { data } = await panel.sdk.checkout.sessions.list({ customer: await customerOf(panel, tenant) });
    return data[0]?.discounts?.map((each) => each.coupon);
  };
  expect(await session({})).toEqual([silver]);
  expect(await session({ coupon: coupon.id })).toEqual([coupon.id]);
});

test('clients have the discount of their provider, and that of another once they are its', async () => {
  const parent = await provider(panel);
  const { child, customer } = await clientWithContract({ panel, mailbox }, parent);
  await enrollMany(parent, 5);
  const id = await approved(panel, parent);
  await untilTier(parent, id, 'tier_silver');
  await untilCoupons(panel, customer, [silver]);
  const other = await provider(panel);
  await enrollMany(other, 25);
  await untilTier(other, await approved(panel, other), 'tier_gold');
  const told = async (provided: Tenant) =>
    panel.sql(
      `insert into identity.outbox (event_id, tenant_id, topic, entity_id, payload, caused_by, occurred_at)
       values ('evt_' || gen_random_uuid(), $1, 'identity.tenant.created', $1, $2, 'test', now())`,
      [child.id, { tenantId: child.id, name: 'Moved', plan: 'PRO', parentTenantId: provided.id }],
    );
  await told(other);
  await panel.clock.advance(2_000);
  await until(async () => {
    const rows = await panel.sql<{ tenant_id: string }>(
      'select tenant_id from billing.partner_customer where customer_id = $1',
      [child.id],
    );
    return rows.length === 1 && rows[0]!.tenant_id === other.id;
  }, 'the client to be the other provider’s');
  await untilCoupons(panel, customer, [gold]);
  expect(await couponsOf(panel, customer)).toEqual([gold]);
}, 120_000);

test.each([
  ['is down', { kind: 'error', status: 503 }],
  ['has too many calls', { kind: 'error', status: 429, retryAfter: 1 }],
  ['is slow', { kind: 'delay', delayMs: 2_000 }],
  ['loses its answer', { kind: 'drop_after_commit' }],
] as const)(
  'while Stripe %s the discount waits, and then is there once',
  async (_name, fault) => {
    const { customer, tenant, id } = await partner(panel, 5);
    const [subscription] = (await panel.sdk.subscriptions.list({ customer })).data;
    panel.stripe.addFault({
      method: 'POST',
      path: `/v1/subscriptions/${subscription!.id}`,
      next: 3,
      ...fault,
    });
    await untilCoupons(panel, customer, [silver]);
    await clearFaults();
    const { data } = await panel.sdk.invoices.list({ customer });
    expect(data.map(({ amount_paid }) => amount_paid)).toEqual([4900]);
    dataOf(await decide(panel, 'suspendPartner', id));
    await untilCoupons(panel, customer, []);
    expect((await subscriptionOf(tenant)).plan).toBe('PRO');
  },
  120_000,
);

test('the ledger has one row for each invoice that was paid while the partner was approved, and sums to them', async () => {
  const parent = await provider(panel);
  const first = await clientWithContract({ panel, mailbox }, parent);
  const second = await clientWithContract({ panel, mailbox }, parent);
  await enrollMany(parent, 5);
  await panel.clock.advance(2_000);
  const since = Math.floor(panel.clock.now().getTime() / 1000);
  const id = await approved(panel, parent, 15);
  await untilTier(parent, id, 'tier_silver');
  const customers = [first.customer, second.customer];
  for (const customer of customers) await untilCoupons(panel, customer, [silver]);
  expect((await ledgerOf(panel, parent, id)).nodes).toEqual([]);
  const month = async () => {
    await panel.clock.leap(31 * dayMs);
    panel.stripe.settle();
    await applied(panel);
  };
  const earned = async () => (await paidBy(panel, ...customers)).filter(({ at }) => at >= since);
  const agrees = async () => {
    const paid = await earned();
    await until(
      async () => (await ledgerOf(panel, parent, id)).totalCount === paid.length,
      'the ledger to have all',
    );
    const { nodes, totals } = await ledgerOf(panel, parent, id);
    expect(nodes.map(({ invoiceId }) => invoiceId).toSorted()).toEqual(
      paid.map((each) => each.id).toSorted(),
    );
    expect(totals).toEqual([
      {
        currency: 'usd',
        amountPaid: total(paid.map(({ amount }) => amount)),
        // 15 % of 4 410 is 661.5.
        amount: paid.length * 662,
      },
    ]);
    expect(totals[0]).toEqual({
      currency: 'usd',
      amountPaid: total(nodes.map(({ amountPaid }) => amountPaid)),
      amount: total(nodes.map(({ amount }) => amount)),
    });
    expect(new Set(nodes.map(({ customerId }) => customerId))).toEqual(
      new Set([first.child.id, second.child.id]),
    );
  };
  await month();
  await month();
  await agrees();

  // What is told again is booked already.
  const events = await panel.sdk.events.list({ type: 'invoice.paid', limit: 5 });
  await panel.sql('update billing.paid_invoice set id = id');
  for (const event of events.data)
    await panel.sql(
      `insert into billing.outbox (event_id, tenant_id, topic, entity_id, payload, caused_by, occurred_at)
       select 'evt_' || gen_random_uuid(), tenant_id, topic, entity_id, payload, 'test', now()
       from billing.outbox where topic = 'billing.invoice.paid' and entity_id = $1 limit 1`,
      [(event.data.object as { id: string }).id],
    );
  await panel.clock.advance(2_000);
  await agrees();

  // While it is suspended nothing is earned, also not by what is seen afterwards.
  const before = (await ledgerOf(panel, parent, id)).totalCount;
  dataOf(await decide(panel, 'suspendPartner', id));
  for (const customer of customers) await untilCoupons(panel, customer, []);
  await month();
  dataOf(await decide(panel, 'approvePartner', id));
  for (const customer of customers) await untilCoupons(panel, customer, [silver]);
  expect((await ledgerOf(panel, parent, id)).totalCount).toBe(before);
  await month();
  await until(async () => (await ledgerOf(panel, parent, id)).totalCount === before + 2, 'the next invoices');

  const page = await ledgerOf(panel, parent, id, { first: 2 });
  expect(page.pageInfo.hasNextPage).toBe(true);
  const rest = await ledgerOf(panel, parent, id, { after: page.pageInfo.endCursor });
  const all = (await ledgerOf(panel, parent, id)).nodes;
  expect([...page.nodes, ...rest.nodes]).toEqual(all);
}, 180_000);

async function clearFaults(): Promise<void> {
  await fetch(`${panel.stripe.url}/_sandbox/faults`, { method: 'DELETE' });
}
