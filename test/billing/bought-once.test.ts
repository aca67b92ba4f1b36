import { afterAll, beforeAll, expect, test } from 'vitest';

import { Mailbox } from '../identity/support/mailbox.js';
import { dataOf, refusal } from '../support/answers.js';
import { idOf } from '../support/stripe-sandbox.js';
import { until } from '../support/world.js';
import {
  applied,
  change,
  checkout,
  customerOf,
  giveCard,
  liveOf,
  openPages,
  payOn,
  proTenant,
  startBillingPanel,
  subscriptionOf,
  type BillingPanel,
} from './support/billing-panel.js';
import { ledgerOf, partner } from './support/partner-money.js';
import { decide } from './support/partners.js';

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

test('a first payment costs what its preview said, less what was kept of before, and its lines sum to it', async () => {
  const tenant = await panel.world.tenant();
  const customer = await giveCard(panel, tenant);
  await panel.sdk.customers.update(customer, { balance: -1_234 });
  const preview = async (input: Record<string, unknown>) =>
    dataOf(
      await tenant.graphql<{
        previewPlanChange: { amountDue: number; lines: { description: string; amount: number }[] };
      }>(
        `query($input: PreviewPlanChangeInput!) { previewPlanChange(input: $input) {
           amountDue lines { description amount } } }`,
        { input },
      ),
    ).previewPlanChange;
  const first = await preview({ plan: 'PRO', billingCycle: 'MONTHLY' });
  expect(first.amountDue).toBe(4_900 - 1_234);
  expect(first.lines).toEqual([
    { description: expect.stringContaining('Pro'), amount: 4_900 },
    { description: 'Credit that was kept', amount: -1_234 },
  ]);
  dataOf(await change(tenant, { plan: 'PRO' }));
  const { data } = await panel.sdk.invoices.list({ customer });
  expect(data.map(({ amount_paid }) => amount_paid)).toEqual([4_900 - 1_234]);

  // Half of it off: 49 000 - 24 500, less the 4 900 of the month, of which all is left.
  const half = await panel.sdk.coupons.create({ percent_off: 50, duration: 'forever' });
  const [subscription] = (await panel.sdk.subscriptions.list({ customer })).data;
  await panel.sdk.subscriptions.update(subscription!.id, { discounts: [{ coupon: half.id }] });
  const upgrade = await preview({ plan: 'PRO', billingCycle: 'YEARLY' });
  expect(upgrade.amountDue).toBe(24_500 - 4_900);
  expect(upgrade.lines.map(({ amount }) => amount).toSorted((a, b) => a - b)).toEqual([
    -24_500, -4_900, 49_000,
  ]);
});

test('what was bought on a page is not sold on another one though its webhook was lost, and is seen by that', async () => {
  const tenant = await panel.world.tenant();
  const { url } = dataOf(await checkout(tenant, { withTrial: true })).createCheckoutSession;
  panel.stripe.deliver({ lose: 100 });
  await payOn(url);
  await panel.stripe.delivered();
  panel.stripe.deliver({ lose: 0 });
  expect((await subscriptionOf(tenant)).plan).toBe('FREE');
  expect(refusal(await checkout(tenant, { withTrial: true }))).toEqual({
    code: 'CONFLICT',
    reason: 'ALREADY_SUBSCRIBED',
  });
  expect(await openPages(panel, tenant)).toEqual([]);
  expect(await liveOf(panel, await customerOf(panel, tenant))).toHaveLength(1);
  await until(async () => (await subscriptionOf(tenant)).plan === 'PRO', 'the plan that was bought');
});

test('a page that is made while the plan is bought without one is handed to nobody, and another day there is a next', async () => {
  const tenant = await panel.world.tenant();
  const customer = await giveCard(panel, tenant);
  const idempotencyKey = 'page-in-between';
  panel.stripe.addFault({
    kind: 'delay_before',
    method: 'POST',
    path: '/v1/checkout/sessions',
    delayMs: 3_000,
  });
  const page = checkout(tenant, { idempotencyKey });
  await until(async () => {
    const waiting = await fetch(`${panel.stripe.url}/_sandbox/faults`);
    return ((await waiting.json()) as { faults: unknown[] }).faults.length === 0;
  }, 'the panel to ask for the page');
  dataOf(await change(tenant, { plan: 'PRO' }));
  expect(refusal(await page)).toEqual({ code: 'CONFLICT', reason: 'ALREADY_SUBSCRIBED' });
  expect(await openPages(panel, tenant)).toEqual([]);
  const [subscription] = await liveOf(panel, customer);
  await panel.sdk.subscriptions.cancel(subscription!);
  await applied(panel);
  const { url } = dataOf(await checkout(tenant, { idempotencyKey })).createCheckoutSession;
  expect(await openPages(panel, tenant)).toEqual([url]);
  // Repeated it is the same.
  expect(dataOf(await checkout(tenant, { idempotencyKey })).createCheckoutSession.url).toBe(url);
  expect(await openPages(panel, tenant)).toEqual([url]);
});

test('an upgrade that also takes back an end by a day, and whose answer is lost, is one charge, and it goes on', async () => {
  const tenant = await proTenant(panel);
  const [subscription] = (await panel.sdk.subscriptions.list({ customer: tenant.customer })).data;
  const [item] = subscription!.items.data;
  await panel.sdk.subscriptions.update(subscription!.id, { cancel_at: item!.current_period_end });
  await applied(panel);
  const path = `/v1/subscriptions/${subscription!.id}`;
  panel.stripe.addFault({ kind: 'drop_after_commit', method: 'POST', path, next: 3 });
  await change(tenant, { plan: 'PRO', billingCycle: 'YEARLY' });
  await fetch(`${panel.stripe.url}/_sandbox/faults`, { method: 'DELETE' });
  await change(tenant, { plan: 'PRO', billingCycle: 'YEARLY' });
  expect(await subscriptionOf(tenant)).toMatchObject({ billingCycle: 'YEARLY', cancelAt: null });
  expect(await liveOf(panel, tenant.customer)).toEqual([subscription!.id]);
  const { data } = await panel.sdk.invoices.list({ customer: tenant.customer });
  expect(data.map(({ amount_paid: amount }) => amount)).toEqual([49_000 - 4_900, 4_900]);
});

test('an invoice that was paid outside of Stripe earns as any other, and what goes back outside takes it back', async () => {
  const { tenant, customer, id } = await partner(panel, 5);
  dataOf(await decide(panel, 'approvePartner', id, { commissionPercent: 15 }));
  await panel.clock.advance(3_000);
  const { data } = await panel.sdk.prices.list({ lookup_keys: ['quazzar_pro_yearly'] });
  const [old] = (await panel.sdk.subscriptions.list({ customer })).data;
  await panel.sdk.subscriptions.cancel(old!.id);
  const made = await panel.sdk.subscriptions.create({
    customer,
    items: [{ price: data[0]!.id }],
    collection_method: 'send_invoice',
    days_until_due: 30,
  });
  const invoice = idOf(made.latest_invoice);
  const { status } = await panel.sdk.invoices.retrieve(invoice);
  if (status === 'draft') await panel.sdk.invoices.finalizeInvoice(invoice);
  await applied(panel);
  expect((await ledgerOf(panel, tenant, id)).totalCount).toBe(0);
  await panel.sdk.invoices.pay(invoice, { paid_out_of_band: true });
  await until(async () => (await ledgerOf(panel, tenant, id)).totalCount === 1, 'the transfer to be booked');
  // 15 % of 49 000.
  expect((await ledgerOf(panel, tenant, id)).totals).toEqual([
    { currency: 'usd', amountPaid: 49_000, amount: 7_350 },
  ]);
  await panel.sdk.creditNotes.create({ invoice, amount: 1_001, out_of_band_amount: 1_001 });
  await until(async () => (await ledgerOf(panel, tenant, id)).totalCount === 2, 'what went back');
  // 15 % of 47 999 is 7 199.85.
  expect((await ledgerOf(panel, tenant, id)).totals).toEqual([
    { currency: 'usd', amountPaid: 47_999, amount: 7_200 },
  ]);
}, 120_000);
