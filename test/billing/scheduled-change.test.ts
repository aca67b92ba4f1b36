import { afterAll, beforeAll, expect, test } from 'vitest';

import { ensureCatalogue } from '#subgraphs/billing/stripe/catalogue.js';

import { dataOf, refusal } from '../support/answers.js';
import { until, type Tenant } from '../support/world.js';
import {
  applied,
  change,
  checkout,
  customerOf,
  dayMs,
  giveCard,
  pass,
  payOn,
  proTenant,
  signedIn,
  startBillingPanel,
  subscriptionOf,
  type BillingPanel,
} from './support/billing-panel.js';
import { changesIn } from './support/partners.js';

let panel: BillingPanel;
beforeAll(async () => {
  panel = await startBillingPanel();
});
afterAll(async () => panel.stop());

test('what a contract has sold stays so until its period ends, when a smaller plan is to follow', async () => {
  const tenant = await panel.world.tenant();
  const customer = await giveCard(panel, tenant);
  const { id: product } = await panel.sdk.products.create({ name: 'Enterprise of Acme' });
  const price = await panel.sdk.prices.create({
    product,
    currency: 'usd',
    unit_amount: 3_000,
    recurring: { interval: 'month' },
    lookup_key: 'quazzar_enterprise_monthly_acme',
  });
  const { id } = await panel.sdk.subscriptions.create({
    customer,
    items: [{ price: price.id, quantity: 40 }],
  });
  await applied(panel);
  await until(async () => (await subscriptionOf(tenant)).plan === 'ENTERPRISE', 'the contract');
  dataOf(await change(tenant, { plan: 'PRO' }));
  const { items } = await panel.sdk.subscriptions.retrieve(id);
  expect(items.data.map(({ quantity }) => quantity)).toEqual([40]);
}, 60_000);

test('what an operator has scheduled is taken off by the end of the subscription only, which the trail tells', async () => {
  const tenant = await proTenant(panel, 'YEARLY');
  const [subscription] = (await panel.sdk.subscriptions.list({ customer: tenant.customer })).data;
  const made = await panel.sdk.subscriptionSchedules.create({ from_subscription: subscription!.id });
  const [now] = made.phases;
  const price = subscription!.items.data[0]!.price.id;
  // A year at half the price, and then the whole.
  const half = await panel.sdk.coupons.create({ percent_off: 50, duration: 'forever' });
  await panel.sdk.subscriptionSchedules.update(made.id, {
    phases: [
      {
        items: [{ price }],
        start_date: now!.start_date,
        end_date: now!.end_date,
        discounts: [{ coupon: half.id }],
      },
      { items: [{ price }], start_date: now!.end_date },
    ],
  });
  await applied(panel);
  const status = async () => (await panel.sdk.subscriptionSchedules.retrieve(made.id)).status;
  expect((await tenant.graphql('mutation { resumeSubscription { plan } }')).errors).toBeUndefined();
  dataOf(await change(tenant, { plan: 'PRO', billingCycle: 'YEARLY' }));
  const other = await change(tenant, { plan: 'PRO', billingCycle: 'MONTHLY' });
  expect(refusal(other)).toMatchObject({ code: 'CONFLICT', reason: 'BY_CONTRACT' });
  const previewed = await tenant.graphql(
    '{ previewPlanChange(input: { plan: PRO, billingCycle: MONTHLY }) { effect } }',
  );
  expect(refusal(previewed)).toMatchObject({ code: 'CONFLICT', reason: 'BY_CONTRACT' });
  expect(await status()).toBe('active');
  expect((await tenant.graphql('mutation { cancelSubscription { cancelAt } }')).errors).toBeUndefined();
  expect(await status()).toBe('released');
  expect((await subscriptionOf(tenant)).cancelAt).not.toBeNull();
  expect(await changesIn(panel, tenant, 'cancelSubscription')).toMatchObject([
    { changes: { kind: 'CANCEL', scheduleOff: made.id } },
  ]);
}, 120_000);

test('a trial that is to be paid by month instead of by year goes on to its end, and costs nothing before', async () => {
  const tenant = await panel.world.tenant();
  const bought = await checkout(tenant, { billingCycle: 'YEARLY', withTrial: true });
  await payOn(dataOf(bought).createCheckoutSession.url);
  await applied(panel);
  await until(async () => (await subscriptionOf(tenant)).plan === 'PRO', 'the plan that was bought');
  const { trialEnd } = await subscriptionOf(tenant);
  await pass(panel, 2 * dayMs);
  const monthly = await change(await signedIn(panel, tenant), { plan: 'PRO', billingCycle: 'MONTHLY' });
  expect(dataOf(monthly).changeSubscription).toMatchObject({
    status: 'TRIALING',
    trialEnd,
    scheduledChange: { plan: 'PRO', billingCycle: 'MONTHLY', at: trialEnd },
  });
  const customer = await customerOf(panel, tenant);
  const paid = async () =>
    (await panel.sdk.invoices.list({ customer, status: 'paid' })).data
      .map(({ amount_paid: amount }) => amount)
      .filter((amount) => amount > 0);
  expect(await paid()).toEqual([]);
  await pass(panel, 13 * dayMs);
  expect(await subscriptionOf(await signedIn(panel, tenant))).toMatchObject({
    status: 'ACTIVE',
    billingCycle: 'MONTHLY',
  });
  expect(await paid()).toEqual([4900]);
}, 120_000);

/** What is sold to a customer beside a plan. */
async function supportPrice(): Promise<string> {
  const { id } = await panel.sdk.prices.create({
    product_data: { name: 'A visit each month' },
    currency: 'usd',
    unit_amount: 1_000,
    recurring: { interval: 'month' },
  });
  return id;
}

test('what a contract sells beside the plan hides it from nobody, and goes on when the plan becomes another', async () => {
  const tenant = await panel.world.tenant();
  const customer = await giveCard(panel, tenant);
  const { id: product } = await panel.sdk.products.create({ name: 'Enterprise of Bolt' });
  const plan = await panel.sdk.prices.create({
    product,
    currency: 'usd',
    unit_amount: 90_000,
    recurring: { interval: 'month' },
    lookup_key: 'quazzar_enterprise_monthly_bolt',
  });
  const support = await supportPrice();
  const { id } = await panel.sdk.subscriptions.create({
    customer,
    items: [{ price: support }, { price: plan.id }],
  });
  await applied(panel);
  await until(async () => (await subscriptionOf(tenant)).plan === 'ENTERPRISE', 'the contract');
  dataOf(await change(tenant, { plan: 'PRO' }));
  await pass(panel, 32 * dayMs);
  const { items } = await panel.sdk.subscriptions.retrieve(id);
  expect(items.data.map(({ price }) => price.unit_amount).toSorted((a, b) => a! - b!)).toEqual([
    1_000, 4_900,
  ]);
  expect(await subscriptionOf(await signedIn(panel, tenant))).toMatchObject({
    plan: 'PRO',
    status: 'ACTIVE',
  });
}, 120_000);

test('a subscription is known behind all that was sold to its customer since', async () => {
  const tenant = await proTenant(panel);
  const support = await supportPrice();
  for (let count = 0; count < 21; count += 1) {
    const { id } = await panel.sdk.subscriptions.create({
      customer: tenant.customer,
      items: [{ price: support }],
    });
    await panel.sdk.subscriptions.cancel(id);
  }
  const { data } = await panel.sdk.subscriptions.list({ customer: tenant.customer });
  await panel.sdk.subscriptions.update(data[0]!.id, { cancel_at_period_end: true });
  await applied(panel);
  expect((await subscriptionOf(tenant)).cancelAt).not.toBeNull();
}, 120_000);

test('whoever pays a price that another took the place of is known as before, and others pay the new one', async () => {
  const before = await proTenant(panel);
  const [subscription] = (await panel.sdk.subscriptions.list({ customer: before.customer })).data;
  await panel.sdk.prices.create({
    product: 'quazzar_pro',
    currency: 'usd',
    unit_amount: 5_900,
    recurring: { interval: 'month' },
    lookup_key: 'quazzar_pro_monthly',
    transfer_lookup_key: true,
  });
  expect(
    (await panel.sdk.subscriptions.retrieve(subscription!.id)).items.data[0]?.price.lookup_key,
  ).toBeNull();
  await panel.sdk.subscriptions.update(subscription!.id, { cancel_at_period_end: true });
  await applied(panel);
  expect(await subscriptionOf(before)).toMatchObject({ plan: 'PRO', cancelAt: expect.any(String) });
  // Nobody buys a second one beside it, and its end is seen.
  expect(refusal(await checkout(before))).toMatchObject({ reason: 'ALREADY_SUBSCRIBED' });
  await panel.sdk.subscriptions.cancel(subscription!.id);
  await applied(panel);
  expect(await subscriptionOf(before)).toMatchObject({ plan: 'FREE', status: 'CANCELED' });

  await panel.clock.leap(61_000);
  const after = await proTenant(panel);
  const paid = await panel.sdk.invoices.list({ customer: after.customer });
  expect(paid.data.map(({ amount_paid: amount }) => amount)).toEqual([5_900]);
  await ensureCatalogue(panel.sdk);
  await panel.clock.leap(61_000);
}, 120_000);

/** What a customer does on Stripe's own page, which names the day of the end. */
async function onPortal(tenant: Tenant, what: 'cancel' | 'keep', subscription: string): Promise<void> {
  const { createPortalSession } = dataOf(
    await tenant.graphql<{ createPortalSession: { url: string } }>(
      'mutation { createPortalSession { url } }',
    ),
  );
  await fetch(createPortalSession.url, {
    method: 'POST',
    body: new URLSearchParams({ do: what, subscription }),
    redirect: 'manual',
  });
  await applied(panel);
}

test.each([
  ['is taken back', 'mutation { resumeSubscription { plan } }', [4_900], 'MONTHLY'],
  [
    'is taken back by paying for a year',
    'mutation { changeSubscription(input: { plan: PRO, billingCycle: YEARLY }) { plan } }',
    [49_000 - 4_900, 4_900],
    'YEARLY',
  ],
])('an end that was asked for on the portal %s', async (_name, mutation, amounts, cycle) => {
  const tenant = await proTenant(panel);
  const [subscription] = (await panel.sdk.subscriptions.list({ customer: tenant.customer })).data;
  await onPortal(tenant, 'cancel', subscription!.id);
  const { periodEnd, cancelAt } = await subscriptionOf(tenant);
  expect(cancelAt).toBe(periodEnd);
  dataOf(await tenant.graphql(mutation));
  expect(await subscriptionOf(tenant)).toMatchObject({
    cancelAt: null,
    billingCycle: cycle,
    status: 'ACTIVE',
  });
  const { cancel_at: day } = await panel.sdk.subscriptions.retrieve(subscription!.id);
  expect(day).toBeNull();
  const { data } = await panel.sdk.invoices.list({ customer: tenant.customer });
  expect(data.map(({ amount_paid: amount }) => amount)).toEqual(amounts);
});

test('an upgrade that is declined leaves an end that was asked for as it was', async () => {
  const tenant = await proTenant(panel);
  const [subscription] = (await panel.sdk.subscriptions.list({ customer: tenant.customer })).data;
  await onPortal(tenant, 'cancel', subscription!.id);
  const { cancelAt } = await subscriptionOf(tenant);
  await giveCard(panel, tenant, 'pm_card_chargeCustomerFail');
  expect(refusal(await change(tenant, { plan: 'PRO', billingCycle: 'YEARLY' }))).toMatchObject({
    reason: 'CARD_DECLINED',
  });
  await applied(panel);
  expect(await subscriptionOf(tenant)).toMatchObject({ cancelAt, billingCycle: 'MONTHLY', plan: 'PRO' });
});

test('whoever asks for a smaller plan instead of the end goes on with that', async () => {
  const tenant = await proTenant(panel, 'YEARLY');
  const { periodEnd } = await subscriptionOf(tenant);
  dataOf(await tenant.graphql('mutation { cancelSubscription { plan } }'));
  const monthly = await change(tenant, { plan: 'PRO', billingCycle: 'MONTHLY' });
  expect(dataOf(monthly).changeSubscription).toMatchObject({
    cancelAt: null,
    scheduledChange: { plan: 'PRO', billingCycle: 'MONTHLY', at: periodEnd },
  });
  await pass(panel, 367 * dayMs);
  expect(await subscriptionOf(await signedIn(panel, tenant))).toMatchObject({
    status: 'ACTIVE',
    billingCycle: 'MONTHLY',
  });
}, 120_000);

test('a contract that ends on a later day ends then, whatever is taken back or upgraded, or with the period once it is cancelled', async () => {
  const tenant = await proTenant(panel);
  const [subscription] = (await panel.sdk.subscriptions.list({ customer: tenant.customer })).data;
  const inTenMonths = Math.floor(panel.clock.now().getTime() / 1000) + 300 * 86_400;
  const cancelAt = new Date(inTenMonths * 1000).toISOString();
  await panel.sdk.subscriptions.update(subscription!.id, { cancel_at: inTenMonths });
  await applied(panel);
  const before = await subscriptionOf(tenant);
  const at = async () => Date.parse((await subscriptionOf(tenant)).cancelAt!);
  expect(await at()).toBe(Date.parse(cancelAt));
  // Until then it is paid each month.
  expect(before.nextInvoiceDate).toBe(before.periodEnd);
  dataOf(await tenant.graphql('mutation { resumeSubscription { plan } }'));
  expect(await at()).toBe(Date.parse(cancelAt));
  dataOf(await tenant.graphql('mutation { cancelSubscription { plan } }'));
  expect(await subscriptionOf(tenant)).toMatchObject({ cancelAt: before.periodEnd, nextInvoiceDate: null });

  const other = await proTenant(panel);
  const [upgraded] = (await panel.sdk.subscriptions.list({ customer: other.customer })).data;
  await panel.sdk.subscriptions.update(upgraded!.id, { cancel_at: inTenMonths });
  await applied(panel);
  dataOf(await change(other, { plan: 'PRO', billingCycle: 'YEARLY' }));
  expect((await panel.sdk.subscriptions.retrieve(upgraded!.id)).cancel_at).toBe(inTenMonths);
});

test('the same plan is paid by month instead of by year whatever is stored: it allows as much', async () => {
  const tenant = await proTenant(panel, 'YEARLY');
  await panel.sql(
    `insert into billing.usage_level (tenant_id, metric, version, used) values ($1, 'storageGb', 1, 600)
     on conflict (tenant_id, metric) do update set used = 600`,
    [tenant.id],
  );
  const monthly = await change(tenant, { plan: 'PRO', billingCycle: 'MONTHLY' });
  expect(dataOf(monthly).changeSubscription.scheduledChange).toMatchObject({ billingCycle: 'MONTHLY' });
  expect(refusal(await change(tenant, { plan: 'FREE' }))).toMatchObject({
    reason: 'LIMITS_EXCEEDED',
    details: { storageGb: { used: 600, limit: 10 } },
  });
});
