import { afterAll, beforeAll, expect, test } from 'vitest';

import { dataOf, refusal } from '../support/answers.js';
import { until } from '../support/world.js';
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
