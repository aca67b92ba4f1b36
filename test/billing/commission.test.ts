import { afterAll, beforeAll, expect, test } from 'vitest';

import { provider } from '../identity/msp/support.js';
import { Mailbox } from '../identity/support/mailbox.js';
import { dataOf } from '../support/answers.js';
import { until } from '../support/world.js';
import {
  applied,
  change,
  giveCard,
  hurried,
  signedIn,
  startBillingPanel,
  subscriptionOf,
  type BillingPanel,
} from './support/billing-panel.js';
import { clientWithContract, ledgerOf, paidBy, partner } from './support/partner-money.js';
import { changesIn, decide } from './support/partners.js';

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

test('an invoice earns by the period and the percentage in which it was paid, however late it is seen', async () => {
  const { tenant, id } = await partner(panel, 5);
  const later = async () => {
    await panel.clock.advance(3_000);
    return panel.clock.now().toISOString();
  };
  dataOf(await decide(panel, 'approvePartner', id, { commissionPercent: 10 }));
  const byTen = await later();
  await panel.clock.advance(3_000);
  dataOf(await decide(panel, 'approvePartner', id, { commissionPercent: 20 }));
  const byTwenty = await later();
  await panel.clock.advance(3_000);
  dataOf(await decide(panel, 'suspendPartner', id));
  const byNone = await later();
  await panel.clock.advance(3_000);
  dataOf(await decide(panel, 'approvePartner', id, { commissionPercent: 50 }));
  const paid = { in_ten: byTen, in_twenty: byTwenty, in_none: byNone, in_last: await later() };
  for (const [invoiceId, paidAt] of Object.entries(paid))
    await panel.sql(
      `insert into billing.outbox (event_id, tenant_id, topic, entity_id, payload, caused_by, occurred_at)
       values ('evt_' || gen_random_uuid(), $1, 'billing.invoice.paid', $2, $3, 'test', now())`,
      [tenant.id, invoiceId, { invoiceId, amountPaid: 1_000, currency: 'usd', paidAt }],
    );
  const booked = async () =>
    Object.fromEntries((await ledgerOf(panel, tenant, id)).nodes.map((row) => [row.invoiceId, row]));
  await until(async () => 'in_last' in (await booked()), 'the last one to be booked');
  const { in_ten: ten, in_twenty: twenty, in_none: none, in_last: last } = await booked();
  expect([ten?.amount, twenty?.amount, none, last?.amount]).toEqual([100, 200, undefined, 500]);
  expect(ten?.tier).toBe('tier_silver');
  const trail = (await changesIn(panel, tenant, 'approvePartner')) as { changes: Record<string, unknown> }[];
  expect(trail.map(({ changes }) => changes['commissionPercent'])).toEqual([
    { from: 0, to: 0 },
    { from: 0, to: 10 },
    { from: 10, to: 20 },
    { from: 20, to: 50 },
  ]);
  expect(trail.at(-1)?.changes['tier']).toEqual({ from: null, to: 'tier_silver' });
}, 120_000);

test('what else was sold to a customer, and what cost nothing, earns nothing', async () => {
  const { tenant, customer, id } = await partner(panel, 5);
  dataOf(await decide(panel, 'approvePartner', id, { commissionPercent: 10 }));
  await panel.clock.advance(3_000);
  for (const amount of [10_000, 0]) {
    await panel.sdk.invoiceItems.create({ customer, amount, currency: 'usd' });
    const { id: invoice } = await panel.sdk.invoices.create({ customer });
    const { status } = await panel.sdk.invoices.finalizeInvoice(invoice);
    if (status !== 'paid') await panel.sdk.invoices.pay(invoice);
  }
  await toYearly(customer);
  await applied(panel);
  const [newest] = await paidBy(panel, customer);
  await until(
    async () => (await ledgerOf(panel, tenant, id)).totalCount > 0,
    'the invoice of the subscription to be booked',
  );
  expect((await ledgerOf(panel, tenant, id)).nodes.map(({ invoiceId }) => invoiceId)).toEqual([newest!.id]);
}, 120_000);

test('what goes back of a payment takes its commission back, to the last cent; credit for later does not', async () => {
  const { tenant, customer, id } = await partner(panel, 5);
  dataOf(await decide(panel, 'approvePartner', id, { commissionPercent: 15 }));
  await panel.clock.advance(3_000);
  dataOf(await change(tenant, { plan: 'PRO', billingCycle: 'YEARLY' }));
  await applied(panel);
  const [paid] = await paidBy(panel, customer);
  const invoice = paid!.id;
  const earned = (amount: number) => Math.floor((amount * 15 + 50) / 100);
  const entries = async () => (await ledgerOf(panel, tenant, id)).nodes.toReversed();
  await until(async () => (await entries()).length === 1, 'the payment to be booked');
  const { data: payments } = await panel.sdk.invoicePayments.list({ invoice });
  const intent = payments[0]!.payment.payment_intent as string;

  panel.stripe.deliver({ copies: 2 });
  await panel.sdk.creditNotes.create({ invoice, amount: 300, credit_amount: 300 });
  await panel.sdk.refunds.create({ payment_intent: intent, amount: 1_003 });
  await applied(panel);
  await until(async () => (await entries()).length === 2, 'the refund to be booked');
  await panel.sdk.creditNotes.create({
    invoice,
    amount: 1_001,
    refund_amount: 500,
    out_of_band_amount: 501,
  });
  await applied(panel);
  const left = paid!.amount - 1_003 - 1_001;
  await until(
    async () => (await ledgerOf(panel, tenant, id)).totals[0]?.amountPaid === left,
    'the credit note to be booked',
  );
  panel.stripe.deliver({ copies: 1 });
  // The look of each hour books nothing more.
  await panel.clock.leap(3_700_000);
  await until(async () => {
    const due = await panel.sql(
      'select 1 from billing.subscription where tenant_id = $1 and reconcile_at <= $2',
      [tenant.id, panel.clock.now()],
    );
    return due.length === 0;
  }, 'the look of the hour to be asked for');
  await applied(panel);
  const all = await entries();
  expect(all[0]).toMatchObject({ kind: 'PAYMENT', amountPaid: paid!.amount, amount: earned(paid!.amount) });
  expect(all[1]).toMatchObject({
    kind: 'REFUND',
    invoiceId: invoice,
    customerId: tenant.id,
    tier: 'tier_silver',
    amountPaid: -1_003,
    amount: earned(paid!.amount - 1_003) - earned(paid!.amount),
  });
  expect((await ledgerOf(panel, tenant, id)).totals).toEqual([
    { currency: 'usd', amountPaid: left, amount: earned(left) },
  ]);

  // The partner is one no more: what goes back of what it earned by is taken back all the same.
  dataOf(await decide(panel, 'suspendPartner', id));
  await panel.sdk.refunds.create({ payment_intent: intent });
  await applied(panel);
  const gone = { currency: 'usd', amountPaid: 0, amount: 0 };
  // With what was paid back outside that is more than was paid: no entry takes more than was earned.
  await until(
    async () => (await ledgerOf(panel, tenant, id)).totals[0]?.amountPaid === 0,
    'the rest to be booked',
  );
  expect((await ledgerOf(panel, tenant, id)).totals).toEqual([gone]);
}, 120_000);

test('what a bank takes back by a dispute takes its commission back, and a dispute that is won gives it again', async () => {
  const { tenant, customer, id } = await partner(panel, 5);
  dataOf(await decide(panel, 'approvePartner', id, { commissionPercent: 10 }));
  await panel.clock.advance(3_000);
  await giveCard(panel, tenant, 'pm_card_createDispute');
  await toYearly(customer);
  const total = async () => (await ledgerOf(panel, tenant, id)).totals[0];
  await until(async () => (await ledgerOf(panel, tenant, id)).totalCount === 2, 'the dispute to be booked');
  const [paid] = await paidBy(panel, customer);
  const nothing = { currency: 'usd', amountPaid: 0, amount: 0 };
  expect(await total()).toEqual(nothing);
  const [charge] = (await panel.sdk.charges.list({ customer, limit: 1 })).data;
  const [dispute] = (await panel.sdk.disputes.list({ charge: charge!.id })).data;
  // Of this only the dispute tells, which names no customer.
  const answered = async (text: string) =>
    panel.sdk.disputes.update(dispute!.id, { evidence: { uncategorized_text: text }, submit: true });
  await answered('a letter');
  await applied(panel);
  expect(await total()).toEqual(nothing);
  await answered('winning_evidence');
  await until(async () => (await total())?.amountPaid === paid!.amount, 'the won dispute to be booked');
  expect(await total()).toEqual({
    currency: 'usd',
    amountPaid: paid!.amount,
    amount: Math.floor((paid!.amount * 10 + 50) / 100),
  });
  await applied(panel);
  expect((await ledgerOf(panel, tenant, id)).nodes.map(({ kind }) => kind)).toEqual([
    'REFUND',
    'REFUND',
    'PAYMENT',
  ]);
}, 120_000);

test('while invoices can not be read the subscription is looked at all the same, and they are booked later', async () => {
  const { tenant, customer, id } = await partner(panel, 5);
  dataOf(await decide(panel, 'approvePartner', id, { commissionPercent: 10 }));
  await applied(panel);
  await panel.clock.advance(3_000);
  panel.stripe.addFault({ kind: 'error', method: 'GET', path: '/v1/invoices', status: 503, next: 100 });
  await toYearly(customer);
  await until(
    async () => (await subscriptionOf(tenant)).billingCycle === 'YEARLY',
    'the change to be applied',
  );
  expect((await ledgerOf(panel, tenant, id)).totalCount).toBe(0);
  await fetch(`${panel.stripe.url}/_sandbox/faults`, { method: 'DELETE' });
  await hurried(
    panel,
    async () => (await ledgerOf(panel, tenant, id)).totalCount > 0,
    'the invoice to be booked',
  );
  const [newest] = await paidBy(panel, customer);
  expect((await ledgerOf(panel, tenant, id)).nodes).toMatchObject([{ invoiceId: newest!.id }]);
}, 120_000);

test('while what went back can not be read payments are booked all the same, and what went back is later', async () => {
  const { tenant, customer, id } = await partner(panel, 5);
  dataOf(await decide(panel, 'approvePartner', id, { commissionPercent: 10 }));
  await applied(panel);
  await panel.clock.advance(3_000);
  panel.stripe.addFault({ kind: 'error', method: 'GET', path: '/v1/charges', status: 503, next: 100 });
  await toYearly(customer);
  await until(async () => (await ledgerOf(panel, tenant, id)).totalCount === 1, 'the payment to be booked');
  const { paid, refund } = await newest(customer);
  await refund(1_000);
  await fetch(`${panel.stripe.url}/_sandbox/faults`, { method: 'DELETE' });
  const left = async () => (await ledgerOf(panel, tenant, id)).totals[0]?.amountPaid;
  await hurried(panel, async () => (await left()) === paid - 1_000, 'the refund to be booked');
  expect((await ledgerOf(panel, tenant, id)).nodes.map(({ kind }) => kind)).toEqual(['REFUND', 'PAYMENT']);
}, 120_000);

test('an answer about what went back that comes late undoes nothing that is newer', async () => {
  const { tenant, customer, id } = await partner(panel, 5);
  dataOf(await decide(panel, 'approvePartner', id, { commissionPercent: 10 }));
  await panel.clock.advance(3_000);
  await toYearly(customer);
  await until(async () => (await ledgerOf(panel, tenant, id)).totalCount === 1, 'the payment to be booked');
  await applied(panel);
  const atRest = async () =>
    (
      await panel.sql(
        `select 1 from jobs.job where name = 'billing.paid-invoices.look' and state in ('created', 'retry', 'active')`,
      )
    ).length === 0;
  await hurried(panel, atRest, 'what was paid to be looked at');
  const { paid, refund } = await newest(customer);
  // What is answered is of the moment in which it was asked: the first refund only.
  panel.stripe.addFault({ kind: 'delay', method: 'GET', path: '/v1/charges', delayMs: 8_000 });
  await refund(1_000);
  await until(async () => {
    const answer = await fetch(`${panel.stripe.url}/_sandbox/faults`);
    return ((await answer.json()) as { faults: unknown[] }).faults.length === 0;
  }, 'Stripe to be asked');
  await refund(500);
  const left = async () => (await ledgerOf(panel, tenant, id)).totals[0]?.amountPaid;
  await until(async () => (await left()) === paid - 1_500, 'both to be booked');
  await until(atRest, 'the late answer');
  expect(await left()).toBe(paid - 1_500);
}, 120_000);

/** What was paid last, and a way to have some of it go back. */
async function newest(
  customer: string,
): Promise<{ paid: number; refund: (amount: number) => Promise<unknown> }> {
  const [invoice] = await paidBy(panel, customer);
  const { data } = await panel.sdk.invoicePayments.list({ invoice: invoice!.id });
  const intent = data[0]!.payment.payment_intent as string;
  return {
    paid: invoice!.amount,
    refund: async (amount) => panel.sdk.refunds.create({ payment_intent: intent, amount }),
  };
}

/** As somebody at Stripe's dashboard changes it, paid at once. */
async function toYearly(customer: string): Promise<void> {
  const { data } = await panel.sdk.subscriptions.list({ customer });
  const yearly = await panel.sdk.prices.list({ lookup_keys: ['quazzar_pro_yearly'] });
  await panel.sdk.subscriptions.update(data[0]!.id, {
    items: [{ id: data[0]!.items.data[0]!.id, price: yearly.data[0]!.id }],
    proration_behavior: 'always_invoice',
  });
}

test('with a client that is erased goes its customer at Stripe, and what it was subscribed to', async () => {
  const parent = await provider(panel);
  const { child, customer } = await clientWithContract({ panel, mailbox }, parent);
  const owner = await signedIn(panel, parent);
  expect((await owner.rest(`/api/msp/clients/${child.id}`, { method: 'DELETE' })).status).toBe(204);
  await panel.sql(`update identity.msp_client set erase_at = now() - interval '1 day' where id = $1`, [
    child.id,
  ]);
  await until(
    async () => {
      await panel.clock.leap(31_000);
      return (await panel.sdk.customers.retrieve(customer).catch(() => ({ deleted: true }))).deleted === true;
    },
    'the customer to be deleted',
    60_000,
  );
  const left = await panel.sdk.subscriptions.list({ customer }).catch(() => ({ data: [] }));
  expect(left.data).toEqual([]);
}, 120_000);
