import type Stripe from 'stripe';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { dataOf, refusal } from '../support/answers.js';
import { until, type Tenant } from '../support/world.js';
import {
  applied,
  change,
  customerOf,
  dayMs,
  giveCard,
  hurried,
  pass,
  proTenant,
  signedIn,
  startBillingPanel,
  subscriptionFields,
  subscriptionOf,
  type BillingPanel,
  type SubscriptionView,
} from './support/billing-panel.js';

let panel: BillingPanel;
beforeAll(async () => {
  panel = await startBillingPanel();
});
afterAll(async () => panel.stop());

/** Tenants whose trial, by an operator's hand, has ended without a card. */
async function pausedTenants(
  count: number,
  terms: Partial<Stripe.SubscriptionCreateParams> = {},
): Promise<{ tenant: Tenant; customer: string }[]> {
  const { data: prices } = await panel.sdk.prices.list({ lookup_keys: ['quazzar_pro_monthly'] });
  const made: { tenant: Tenant; customer: string }[] = [];
  for (let number = 0; number < count; number += 1) {
    const tenant = await panel.world.tenant();
    const customer = await customerOf(panel, tenant);
    await panel.sdk.subscriptions.create({
      customer,
      items: [{ price: prices[0]!.id }],
      trial_period_days: 7,
      trial_settings: { end_behavior: { missing_payment_method: 'pause' } },
      ...terms,
    });
    made.push({ tenant, customer });
  }
  await applied(panel);
  await pass(panel, 8 * dayMs);
  return Promise.all(
    made.map(async ({ tenant, customer }) => ({ tenant: await signedIn(panel, tenant), customer })),
  );
}

const resume = async (tenant: Tenant) =>
  tenant.graphql<{ resumeSubscription: SubscriptionView }>(
    `mutation { resumeSubscription { ${subscriptionFields} } }`,
  );

async function close(tenant: Tenant): Promise<void> {
  dataOf(
    await tenant.graphql(
      'mutation($input: CloseOrganizationInput!) { closeOrganization(input: $input) { id } }',
      { input: { currentPassword: tenant.account.password } },
    ),
  );
}

test('with the tenant its subscription ends at once, also one that is bought behind it, and does not come back', async () => {
  const tenant = await proTenant(panel);
  const { customer } = tenant;
  const [first] = (await panel.sdk.subscriptions.list({ customer })).data;
  await close(tenant);
  const living = async () => (await panel.sdk.subscriptions.list({ customer })).data.length;
  await expect.poll(living, { timeout: 20_000 }).toBe(0);
  const { data: prices } = await panel.sdk.prices.list({ lookup_keys: ['quazzar_pro_monthly'] });
  await panel.sdk.subscriptions.create({ customer, items: [{ price: prices[0]!.id }] });
  await expect.poll(living, { timeout: 20_000 }).toBe(0);
  const { data: invoices } = await panel.sdk.invoices.list({ customer, subscription: first!.id });
  expect(invoices.map(({ amount_paid }) => amount_paid)).toEqual([4900]);

  // Who has passed that over is told again within a day.
  await panel.sql('update billing.subscription set closed_at = null where tenant_id = $1', [tenant.id]);
  const closedAt = async () =>
    panel.sql('select 1 from billing.subscription where tenant_id = $1 and closed_at is not null', [
      tenant.id,
    ]);
  await pass(panel, dayMs + 60_000);
  await until(async () => (await closedAt()).length === 1, 'billing to be told again');
  dataOf(
    await panel.world.graphql(
      'mutation($id: ID!) { restoreTenant(id: $id) { eraseAt } }',
      { id: tenant.id },
      await panel.world.administrator(),
    ),
  );
  await until(
    async () => (await panel.world.login(tenant.account.email, tenant.account.password)).status === 200,
    'the owner to be let in',
  );
  const again = await signedIn(panel, tenant);
  await until(async () => (await subscriptionOf(again)).status === 'CANCELED', 'the end to be seen');
  expect((await subscriptionOf(again)).plan).toBe('FREE');
  dataOf(await change(again, { plan: 'PRO', billingCycle: 'MONTHLY' }));
  expect([await living(), (await subscriptionOf(again)).plan]).toEqual([1, 'PRO']);
});

test('a change that is kept when its organization is closed is not made any more', async () => {
  const tenant = await panel.world.tenant();
  const customer = await giveCard(panel, tenant);
  const path = '/v1/subscriptions';
  panel.stripe.addFault({ kind: 'error', method: 'POST', path, status: 503, next: 1_000 });
  expect(refusal(await change(tenant, { plan: 'PRO' }))).toMatchObject({ reason: 'STRIPE_AWAY' });
  await close(tenant);
  const has = async (sql: string) => (await panel.sql(sql, [tenant.id])).length > 0;
  await until(
    async () => has('select 1 from billing.subscription where tenant_id = $1 and closed_at is not null'),
    'billing to know of it',
  );
  await fetch(`${panel.stripe.url}/_sandbox/faults`, { method: 'DELETE' });
  await hurried(
    panel,
    async () => has(`select 1 from billing.intent where tenant_id = $1 and status = 'ABANDONED'`),
    'the change to be given up',
  );
  expect((await panel.sdk.subscriptions.list({ customer, status: 'all' })).data).toEqual([]);
});

const paidBy = async (customer: string) =>
  (await panel.sdk.invoices.list({ customer, status: 'paid' })).data.map((each) => each.amount_paid);

test('a subscription that is paused lets nothing be added, and goes on once it is paid', async () => {
  const [first, second] = await pausedTenants(2);
  const { tenant, customer } = first!;
  expect(await subscriptionOf(tenant)).toMatchObject({ plan: 'PRO', status: 'PAUSED', isReadOnly: true });

  // Without a card there is nothing to pay it by.
  const answer = await resume(tenant);
  expect(refusal(answer)).toMatchObject({ code: 'CONFLICT', reason: 'PAYMENT_METHOD_REQUIRED' });
  expect(answer.errors?.[0]?.message).toBe('There is no payment method yet: createPortalSession takes one');
  // Nor is it changed before it goes on.
  expect(refusal(await change(tenant, { plan: 'PRO', billingCycle: 'YEARLY' }))).toMatchObject({
    code: 'CONFLICT',
    reason: 'SUBSCRIPTION_PAUSED',
  });

  // Attached, and nothing else: it need not be the customer's default.
  await panel.sdk.paymentMethods.attach('pm_card_visa', { customer });
  const preview = dataOf(
    await tenant.graphql<{ previewPlanChange: unknown }>(
      '{ previewPlanChange(input: { plan: PRO }) { effect amountDue } }',
    ),
  );
  expect(preview.previewPlanChange).toEqual({ effect: 'AT_ONCE', amountDue: 4900 });
  const at = panel.clock.now().getTime();
  const { resumeSubscription: on } = dataOf(await resume(tenant));
  expect(on).toMatchObject({ plan: 'PRO', status: 'ACTIVE', isReadOnly: false });
  expect(Date.parse(on.periodEnd!)).toBeGreaterThan(at + 27 * dayMs);
  expect(await paidBy(customer)).toContain(4900);
  // Once more there is nothing to do.
  expect(dataOf(await resume(tenant)).resumeSubscription).toMatchObject({ status: 'ACTIVE' });
  expect((await paidBy(customer)).filter((amount) => amount > 0)).toEqual([4900]);

  // Whoever asks for the plan that is paused asks for the same.
  const { tenant: other, customer: theirs } = second!;
  await giveCard(panel, other);
  const changed = dataOf(await change(other, { plan: 'PRO' }));
  expect(changed.changeSubscription).toMatchObject({ plan: 'PRO', status: 'ACTIVE' });
  expect((await paidBy(theirs)).filter((amount) => amount > 0)).toEqual([4900]);

  // What has paid once pays from then on.
  await pass(panel, 32 * dayMs);
  expect(await subscriptionOf(await signedIn(panel, tenant))).toMatchObject({ status: 'ACTIVE' });
  expect((await paidBy(customer)).filter((amount) => amount > 0)).toEqual([4900, 4900]);
}, 120_000);

test('going on costs what was agreed, which the preview tells', async () => {
  const { id: coupon } = await panel.sdk.coupons.create({ percent_off: 20, duration: 'forever' });
  const [{ tenant, customer } = {} as never] = await pausedTenants(1, { discounts: [{ coupon }] });
  await giveCard(panel, tenant);
  const { previewPlanChange: told } = dataOf(
    await tenant.graphql<{ previewPlanChange: { amountDue: number } }>(
      '{ previewPlanChange(input: { plan: PRO }) { amountDue } }',
    ),
  );
  expect(told.amountDue).toBe(3920);
  dataOf(await resume(tenant));
  expect((await paidBy(customer)).filter((amount) => amount > 0)).toEqual([3920]);
}, 120_000);

test('a payment that fails is told, and the subscription is past due', async () => {
  const [{ tenant, customer } = {} as never] = await pausedTenants(1);
  await giveCard(panel, tenant, 'pm_card_chargeCustomerFail');
  // Also where the answer that told of it was lost.
  panel.stripe.addFault({ kind: 'drop_after_commit', method: 'POST', path: '/v1/invoices/', next: 10 });
  expect(refusal(await resume(tenant))).toMatchObject({ code: 'UNAVAILABLE', details: { isKept: true } });
  await fetch(`${panel.stripe.url}/_sandbox/faults`, { method: 'DELETE' });
  expect(refusal(await resume(tenant))).toMatchObject({ code: 'CONFLICT', reason: 'CARD_DECLINED' });
  await until(async () => (await subscriptionOf(tenant)).status === 'PAST_DUE', 'it to be past due');
  expect((await paidBy(customer)).filter((amount) => amount > 0)).toEqual([]);
}, 120_000);

test('a subscription that is paused ends at once, and a new one is bought', async () => {
  const [{ tenant } = {} as never] = await pausedTenants(1);
  // Also where Stripe has ended it and its answer was lost, and the SDK asks again.
  panel.stripe.addFault({ kind: 'drop_after_commit', method: 'DELETE', path: '/v1/subscriptions/', next: 1 });
  const ended = dataOf(
    await tenant.graphql<{ cancelSubscription: SubscriptionView }>(
      `mutation { cancelSubscription { ${subscriptionFields} } }`,
    ),
  );
  expect(ended.cancelSubscription).toMatchObject({ plan: 'FREE', status: 'CANCELED', isReadOnly: false });
  await giveCard(panel, tenant);
  expect(dataOf(await change(tenant, { plan: 'PRO' })).changeSubscription).toMatchObject({
    plan: 'PRO',
    status: 'ACTIVE',
    billingCycle: 'MONTHLY',
  });
}, 120_000);

test('after a yearly subscription has ended a plan is paid by month unless told', async () => {
  const tenant = await proTenant(panel, 'YEARLY');
  const { data: subscriptions } = await panel.sdk.subscriptions.list({ customer: tenant.customer });
  await panel.sdk.subscriptions.cancel(subscriptions[0]!.id);
  await until(async () => (await subscriptionOf(tenant)).status === 'CANCELED', 'the end to be known');
  expect(
    (await tenant.graphql('{ previewPlanChange(input: { plan: PRO }) { billingCycle amountDue } }')).data,
  ).toEqual({ previewPlanChange: { billingCycle: 'MONTHLY', amountDue: 4900 } });
  expect(dataOf(await change(tenant, { plan: 'PRO' })).changeSubscription).toMatchObject({
    plan: 'PRO',
    billingCycle: 'MONTHLY',
  });
});
