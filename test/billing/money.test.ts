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
  hurried,
  pass,
  proTenant,
  signedIn,
  startBillingPanel,
  subscriptionOf,
  type BillingPanel,
} from './support/billing-panel.js';
import { clientWithContract, ledgerOf, looked, paidBy, partner, total } from './support/partner-money.js';
import { approved, decide, enrollMany, untilTier } from './support/partners.js';

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

/** The customer's subscription is taxed from now on, by so many percent. */
async function taxed(customer: string, percentage: number, inclusive: boolean): Promise<void> {
  const rate = await panel.sdk.taxRates.create({ display_name: 'VAT', percentage, inclusive });
  const { data } = await panel.sdk.subscriptions.list({ customer });
  await panel.sdk.subscriptions.update(data[0]!.id, { default_tax_rates: [rate.id] });
}

interface Preview {
  amountDueExact: number;
  amountDue: number;
  lines: { description: string; amountExact: number; amount: number }[];
}

async function previewOf(tenant: Tenant, billingCycle: string): Promise<Preview> {
  const { previewPlanChange } = dataOf(
    await tenant.graphql<{ previewPlanChange: Preview }>(
      `query($input: PreviewPlanChangeInput!) { previewPlanChange(input: $input) {
         amountDueExact amountDue lines { description amountExact amount } } }`,
      { input: { plan: 'PRO', billingCycle } },
    ),
  );
  return previewPlanChange;
}

test.each([
  ['on top of the price', 20, false],
  ['in the price', 19, true],
])(
  'taxes %s earn no commission, and what goes back has its part of them',
  async (_name, percent, inclusive) => {
    const { tenant, customer, id } = await partner(panel, 5);
    dataOf(await decide(panel, 'approvePartner', id, { commissionPercent: 15 }));
    await panel.clock.advance(3_000);
    await taxed(customer, percent, inclusive);
    dataOf(await change(tenant, { plan: 'PRO', billingCycle: 'YEARLY' }));
    await applied(panel);
    const [invoice] = (await panel.sdk.invoices.list({ customer })).data;
    const { amount_paid: paid, total_excluding_tax: net } = invoice!;
    expect(paid).toBe(invoice!.total);
    // Each line is rounded by itself.
    expect(Math.abs((net! * (100 + percent)) / 100 - paid)).toBeLessThan(2);
    await until(async () => (await ledgerOf(panel, tenant, id)).totalCount === 1, 'the payment to be booked');
    const earned = (of: number) => Math.floor((of * 15 + 50) / 100);
    const sums = async () =>
      dataOf(
        await tenant.graphql<{ commissions: { totals: Record<string, unknown>[] } }>(
          'query($id: ID!) { commissions(partnerId: $id) { totals { currency amountPaid amountNet amount } } }',
          { id },
        ),
      ).commissions.totals[0];
    expect(await sums()).toEqual({ currency: 'usd', amountPaid: paid, amountNet: net, amount: earned(net!) });
    const { data: payments } = await panel.sdk.invoicePayments.list({ invoice: invoice!.id });
    await panel.sdk.refunds.create({
      payment_intent: payments[0]!.payment.payment_intent as string,
      amount: 12_345,
    });
    await until(async () => (await sums())?.['amountPaid'] === paid - 12_345, 'the refund to be booked');
    const left = Math.round(((paid - 12_345) * net!) / paid);
    expect(await sums()).toMatchObject({ amountNet: left, amount: earned(left) });
  },
  120_000,
);

test('a subscription that is taxed stays so when it is to become a smaller one, and its preview sums to what is paid', async () => {
  const tenant = await proTenant(panel);
  const { customer } = tenant;
  await taxed(customer, 25, false);
  const preview = await previewOf(tenant, 'YEARLY');
  const due = (49_000 - 4_900) * 1.25;
  expect(preview.amountDueExact).toBe(due);
  expect(total(preview.lines.map(({ amountExact }) => amountExact))).toBe(due);
  dataOf(await change(tenant, { plan: 'PRO', billingCycle: 'YEARLY' }));
  expect((await paidBy(panel, customer))[0]!.amount).toBe(due);
  dataOf(await change(tenant, { plan: 'PRO', billingCycle: 'MONTHLY' }));
  await panel.clock.leap(367 * dayMs);
  panel.stripe.settle();
  await applied(panel);
  const [monthly] = (await panel.sdk.invoices.list({ customer, status: 'paid' })).data;
  expect([monthly!.subtotal, monthly!.amount_paid]).toEqual([4_900, 6_125]);
}, 120_000);

test('a preview with more lines than Stripe shows, and with a debt of before, sums to what is due', async () => {
  const tenant = await proTenant(panel);
  const { customer } = tenant;
  for (let index = 0; index < 12; index += 1)
    await panel.sdk.invoiceItems.create({ customer, amount: 100 + index, currency: 'usd' });
  const { amountDueExact, lines } = await previewOf(tenant, 'YEARLY');
  expect(amountDueExact).toBe(49_000 - 4_900 + 1_266);
  expect(total(lines.map(({ amountExact }) => amountExact))).toBe(amountDueExact);
  expect(lines.at(-1)?.description).toBe('Other items');
  // What was paid too much is kept, less what is owed from before.
  await panel.sdk.customers.update(customer, { balance: 1_000 });
  await panel.sdk.invoiceItems.create({ customer, amount: -60_000, currency: 'usd' });
  const kept = await previewOf(tenant, 'YEARLY');
  expect(kept.amountDueExact).toBe(49_000 - 4_900 + 1_266 - 60_000 + 1_000);
  expect(total(kept.lines.map(({ amountExact }) => amountExact))).toBe(kept.amountDueExact);
}, 60_000);

test('amounts that are too large for an Int are told exactly, and keep nobody from the others', async () => {
  const tenant = await panel.world.tenant();
  const customer = await customerOf(panel, tenant);
  const [large, small] = [3_000_000_000_00, 500];
  for (const amount of [small, large]) {
    const { id } = await panel.sdk.invoices.create({ customer, auto_advance: false });
    await panel.sdk.invoiceItems.create({ customer, invoice: id, amount, currency: 'usd' });
    await panel.sdk.invoices.finalizeInvoice(id);
    await panel.clock.advance(1_000);
  }
  const asked = async () =>
    dataOf(
      await tenant.graphql<{ invoices: { nodes: Record<string, number>[] } }>(
        '{ invoices { nodes { amountDue amountDueExact amountCredited amountCreditedExact } } }',
      ),
    ).invoices.nodes;
  const shown = [
    { amountDue: 2_147_483_647, amountDueExact: large, amountCredited: 0, amountCreditedExact: 0 },
    { amountDue: small, amountDueExact: small, amountCredited: 0, amountCreditedExact: 0 },
  ];
  expect(await asked()).toEqual(shown);
  // And out of what is kept of them.
  expect(await asked()).toEqual(shown);
  const { status, body } = await tenant.rest<{ amount_due: number }[]>('/api/billing/invoices');
  expect([status, body.map(({ amount_due: due }) => due)]).toEqual([200, [large, small]]);
  const subscriber = await proTenant(panel);
  await panel.sdk.invoiceItems.create({ customer: subscriber.customer, amount: large, currency: 'usd' });
  const preview = await previewOf(subscriber, 'YEARLY');
  expect([preview.amountDue, preview.amountDueExact]).toEqual([2_147_483_647, large + 49_000 - 4_900]);
  expect(total(preview.lines.map(({ amountExact }) => amountExact))).toBe(preview.amountDueExact);
  await panel.sql(
    `update billing.subscription set past_due_since = now(), amount_overdue = $2 where tenant_id = $1`,
    [subscriber.id, large],
  );
  expect(
    dataOf(await subscriber.graphql('{ subscription { overduePayment { amountDue amountDueExact } } }')),
  ).toEqual({
    subscription: { overduePayment: { amountDue: 2_147_483_647, amountDueExact: large } },
  });
}, 60_000);

test('what is overdue is the sum of all that is, and grace begins anew with what is left once the oldest was paid', async () => {
  await fetch(`${panel.stripe.url}/_sandbox/settings`, {
    method: 'POST',
    body: JSON.stringify({ whenRetriesFail: 'leave_past_due', retryAfterDays: [3] }),
  });
  const tenant = await proTenant(panel);
  const { customer } = tenant;
  await giveCard(panel, tenant, 'pm_card_chargeCustomerFail');
  const standing = async () => subscriptionOf(await signedIn(panel, tenant));
  for (let month = 0; month < 2; month += 1) await pass(panel, 32 * dayMs);
  const { data } = await panel.sdk.invoices.list({ customer, status: 'open' });
  expect(data.map(({ amount_remaining: left }) => left)).toEqual([4_900, 4_900]);
  const [newest, oldest] = data;
  const timeOf = ({ created }: { created: number }) => new Date(created * 1000).toISOString();
  const both = await standing();
  expect(both).toMatchObject({ status: 'PAST_DUE', isReadOnly: true });
  expect(both.overduePayment).toMatchObject({ amountDue: 9_800, since: timeOf(oldest!) });
  await panel.sdk.invoices.pay(oldest!.id, { paid_out_of_band: true });
  await until(async () => {
    await panel.clock.leap(1_000);
    return (await standing()).overduePayment?.amountDue === 4_900;
  }, 'the payment to be seen');
  const one = await standing();
  expect(one).toMatchObject({ status: 'PAST_DUE', isReadOnly: false });
  expect(one.overduePayment?.since).toBe(timeOf(newest!));
}, 120_000);

test('what a client paid before it went to another provider is earned by the former one, also when it is seen afterwards', async () => {
  const former = await provider(panel);
  const { child, customer } = await clientWithContract({ panel, mailbox }, former);
  // What was paid before earns nothing.
  await panel.clock.advance(2_000);
  const formerId = await approved(panel, former, 10);
  const next = await provider(panel);
  await panel.clock.advance(5_000);
  // Nothing is seen of what is paid meanwhile.
  panel.stripe.addFault({ kind: 'error', method: 'GET', path: '/v1/invoices', status: 503, next: 1_000 });
  await toYearly(customer);
  await applied(panel);
  await until(async () => {
    const failed = await panel.sql(
      `select 1 from jobs.job where name = 'billing.paid-invoices.look' and state = 'retry'`,
    );
    return failed.length > 0;
  }, 'the look to fail');
  await panel.clock.advance(5_000);
  await panel.sql(
    `insert into identity.outbox (event_id, tenant_id, topic, entity_id, payload, caused_by, occurred_at)
     values ('evt_' || gen_random_uuid(), $1, 'identity.tenant.created', $1, $2, 'test', $3)`,
    [
      child.id,
      { tenantId: child.id, name: 'Moved', plan: 'PRO', parentTenantId: next.id },
      panel.clock.now(),
    ],
  );
  await until(async () => {
    const rows = await panel.sql<{ parent: string }>(
      'select parent_tenant_id as parent from billing.subscription where tenant_id = $1',
      [child.id],
    );
    return rows[0]?.parent === next.id;
  }, 'the client to be the next provider’s');
  await fetch(`${panel.stripe.url}/_sandbox/faults`, { method: 'DELETE' });
  const [paid] = await paidBy(panel, customer);
  const ofFormer = async () => ledgerOf(panel, former, formerId);
  await looked(panel, async () => (await ofFormer()).totalCount === 1, 'the payment to be booked');
  expect((await ofFormer()).nodes).toMatchObject([
    { kind: 'PAYMENT', invoiceId: paid!.id, customerId: child.id, amountPaid: paid!.amount },
  ]);

  // As an older version beside this one leaves it, which does not keep since when.
  await panel.sql('delete from billing.provider_period where provider_id = $1', [next.id]);
  // What is paid from now on is the next one's, and what goes back of the former one's payment is taken from that.
  const nextId = await approved(panel, next, 50);
  await enrollMany(next, 5);
  await untilTier(next, nextId, 'tier_silver');
  await panel.clock.advance(3_000);
  const { data: payments } = await panel.sdk.invoicePayments.list({ invoice: paid!.id });
  await panel.sdk.refunds.create({
    payment_intent: payments[0]!.payment.payment_intent as string,
    amount: 1_000,
  });
  await panel.clock.leap(367 * dayMs);
  panel.stripe.settle();
  await applied(panel);
  await hurried(
    panel,
    async () => (await ledgerOf(panel, next, nextId)).totalCount === 1,
    'the next payment to be booked',
  );
  const [renewed] = await paidBy(panel, customer);
  expect((await ledgerOf(panel, next, nextId)).nodes[0]).toMatchObject({
    invoiceId: renewed!.id,
    amountPaid: renewed!.amount,
  });
  await hurried(panel, async () => (await ofFormer()).totalCount === 2, 'the refund to be booked');
  expect((await ofFormer()).totals).toMatchObject([{ amountPaid: paid!.amount - 1_000 }]);
}, 180_000);

/** As somebody at Stripe's dashboard changes it, paid at once. */
async function toYearly(customer: string): Promise<void> {
  const { data } = await panel.sdk.subscriptions.list({ customer });
  const yearly = await panel.sdk.prices.list({ lookup_keys: ['quazzar_pro_yearly'] });
  await panel.sdk.subscriptions.update(data[0]!.id, {
    items: [{ id: data[0]!.items.data[0]!.id, price: yearly.data[0]!.id }],
    proration_behavior: 'always_invoice',
  });
}
