import type Stripe from 'stripe';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { billingWorld, idOf, type BillingWorld } from '../support/stripe-sandbox.js';

let world: BillingWorld;

beforeAll(async () => {
  world = await billingWorld();
});

afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

/** A customer that has paid a month of Pro, the invoice, and the intent that paid it. */
async function paidMonth(): Promise<{
  clock: string;
  customer: string;
  subscription: string;
  invoice: string;
  intent: string;
}> {
  const { stripe, prices } = world;
  const { clock, customer } = await world.customerAt('2026-04-01T00:00:00');
  const made = await stripe.subscriptions.create({ customer, items: [{ price: prices.pro.id }] });
  const invoice = idOf(made.latest_invoice);
  const { data } = await stripe.invoicePayments.list({ invoice });
  return { clock, customer, subscription: made.id, invoice, intent: idOf(data[0]?.payment.payment_intent) };
}

const chargesOf = async (customer: string) =>
  (await world.stripe.charges.list({ customer, expand: ['data.refunds'] })).data;

test('each attempt to take money is a charge: one that was refused, and one that came in', async () => {
  const { stripe } = world;
  const { customer } = await world.customerAt('2026-04-01T00:00:00', 'pm_card_chargeCustomerFail');
  await stripe.invoiceItems.create({ customer, amount: 700, currency: 'usd' });
  const { id } = await stripe.invoices.create({ customer, pending_invoice_items_behavior: 'include' });
  await expect(stripe.invoices.pay(id)).rejects.toMatchObject({ code: 'card_declined' });
  await world.useCard(customer, 'pm_card_visa');
  await stripe.invoices.pay(id);
  const { data } = await stripe.invoicePayments.list({ invoice: id });
  const intent = idOf(data[0]?.payment.payment_intent);
  expect((await chargesOf(customer)).map((each) => [each.status, each.paid, each.payment_intent])).toEqual([
    ['succeeded', true, intent],
    ['failed', false, intent],
  ]);
  const { latest_charge: latest } = await stripe.paymentIntents.retrieve(intent, {
    expand: ['latest_charge'],
  });
  expect(latest).toMatchObject({ amount: 700, amount_captured: 700, amount_refunded: 0, refunded: false });
});

test('a charge is refunded in parts, up to what it was and no further; its invoice is as it was', async () => {
  const { stripe } = world;
  const { customer, intent, invoice } = await paidMonth();
  const first = await stripe.refunds.create({ payment_intent: intent, amount: 900 });
  const [charge] = await chargesOf(customer);
  expect(charge).toMatchObject({ amount_refunded: 900, refunded: false });
  expect(charge?.refunds?.data.map(({ id }) => id)).toEqual([first.id]);
  await expect(stripe.refunds.create({ charge: charge!.id, amount: 4001 })).rejects.toMatchObject({
    param: 'amount',
  });
  await stripe.refunds.create({ charge: charge!.id });
  expect((await chargesOf(customer))[0]).toMatchObject({ amount_refunded: 4900, refunded: true });
  await expect(stripe.refunds.create({ charge: charge!.id })).rejects.toMatchObject({
    code: 'charge_already_refunded',
  });
  expect(await stripe.invoices.retrieve(invoice)).toMatchObject({ status: 'paid', amount_paid: 4900 });
  expect(await world.eventsOf(charge!.id)).toEqual([
    'charge.succeeded',
    'charge.refunded',
    'charge.refunded',
  ]);
});

test('a credit note on a paid invoice pays back to the card, as credit, and outside of Stripe', async () => {
  const { stripe } = world;
  const { clock, customer, invoice } = await paidMonth();
  await expect(stripe.creditNotes.create({ invoice, amount: 900, refund_amount: 500 })).rejects.toMatchObject(
    { param: 'amount' },
  );
  const note = await stripe.creditNotes.create({
    invoice,
    amount: 900,
    refund_amount: 500,
    credit_amount: 300,
    out_of_band_amount: 100,
  });
  expect(note).toMatchObject({ post_payment_amount: 900, pre_payment_amount: 0, type: 'post_payment' });
  const refund = await stripe.refunds.retrieve(idOf(note.refunds[0]?.refund));
  expect(refund).toMatchObject({ amount: 500, status: 'succeeded' });
  expect(await stripe.invoices.retrieve(invoice)).toMatchObject({
    amount_paid: 4900,
    post_payment_credit_notes_amount: 900,
  });
  await expect(
    stripe.creditNotes.create({ invoice, amount: 4001, credit_amount: 4001 }),
  ).rejects.toMatchObject({ param: 'amount' });
  const { data } = await stripe.creditNotes.list({ customer });
  expect(data.map(({ id, number }) => [id, number])).toEqual([[note.id, expect.stringMatching(/-CN-01$/)]]);
  const pdf = await fetch(note.pdf);
  expect((await pdf.text()).slice(0, 5)).toBe('%PDF-');
  // The credit makes the next invoice cheaper.
  await world.advance(clock, '2026-05-01T02:00:00');
  expect((await world.invoicesOf(customer)).map(({ amount_paid: amount }) => amount)).toEqual([4900, 4600]);
});

test('a credit note on an open invoice leaves less to pay, and pays it where nothing is left', async () => {
  const { stripe } = world;
  const { customer } = await world.customerAt('2026-04-01T00:00:00');
  const open = async () => {
    await stripe.invoiceItems.create({ customer, amount: 1000, currency: 'usd' });
    const { id } = await stripe.invoices.create({
      customer,
      auto_advance: false,
      pending_invoice_items_behavior: 'include',
    });
    return (await stripe.invoices.finalizeInvoice(id)).id;
  };
  const cheaper = await open();
  await expect(stripe.creditNotes.create({ invoice: cheaper, amount: 1001 })).rejects.toMatchObject({
    param: 'amount',
  });
  await stripe.creditNotes.create({ invoice: cheaper, amount: 400 });
  expect(await stripe.invoices.pay(cheaper)).toMatchObject({
    status: 'paid',
    amount_paid: 600,
    pre_payment_credit_notes_amount: 400,
  });
  const free = await open();
  await stripe.creditNotes.create({ invoice: free, amount: 1000 });
  expect(await stripe.invoices.retrieve(free)).toMatchObject({ status: 'paid', amount_paid: 0 });
  expect((await chargesOf(customer)).map(({ amount }) => amount)).toEqual([600]);
});

test('a credit note on lines pays back what was paid of them, discounts taken off, and no line twice', async () => {
  const { stripe } = world;
  const { customer } = await world.customerAt('2026-04-01T00:00:00');
  for (const [amount, description] of [
    [1000, 'first'],
    [3000, 'second'],
  ] as const)
    await stripe.invoiceItems.create({ customer, amount, currency: 'usd', description });
  const coupon = await stripe.coupons.create({ percent_off: 10, duration: 'once' });
  const { id: invoice } = await stripe.invoices.create({
    customer,
    discounts: [{ coupon: coupon.id }],
    pending_invoice_items_behavior: 'include',
  });
  await stripe.invoices.finalizeInvoice(invoice);
  const { lines } = await stripe.invoices.pay(invoice);
  const named = (description: string) => lines.data.find((line) => line.description === description)!.id;
  const credit = async (list: Stripe.CreditNoteCreateParams.Line[], amount: number) =>
    stripe.creditNotes.create({ invoice, lines: list, refund_amount: amount });
  const whole = { type: 'invoice_line_item', invoice_line_item: named('first') } as const;
  const part = { type: 'invoice_line_item', invoice_line_item: named('second'), amount: 700 } as const;
  const other = {
    type: 'custom_line_item',
    description: 'for the trouble',
    unit_amount: 50,
    quantity: 2,
  } as const;
  const note = await credit([whole, part, other], 1700);
  expect(note).toMatchObject({ amount: 1700, post_payment_amount: 1700 });
  expect(note.lines.data.map((line) => [line.type, line.invoice_line_item, line.amount])).toEqual([
    ['invoice_line_item', whole.invoice_line_item, 900],
    ['invoice_line_item', part.invoice_line_item, 700],
    ['custom_line_item', undefined, 100],
  ]);
  expect((await chargesOf(customer))[0]).toMatchObject({ amount: 3600, amount_refunded: 1700 });
  await expect(credit([whole], 900)).rejects.toMatchObject({ param: 'lines[0][amount]' });
  await expect(credit([{ ...part, amount: 2001 }], 2001)).rejects.toMatchObject({
    param: 'lines[0][amount]',
  });
  await expect(credit([{ ...whole, invoice_line_item: 'il_none' }], 900)).rejects.toMatchObject({
    param: 'lines[0][invoice_line_item]',
  });
  await expect(credit([{ ...other, unit_amount: 0 }], 0)).rejects.toMatchObject({
    param: 'lines[0][unit_amount]',
  });
  await expect(
    stripe.creditNotes.create({ invoice, amount: 100, lines: [part], refund_amount: 100 }),
  ).rejects.toMatchObject({ param: 'amount' });
  expect(await stripe.invoices.retrieve(invoice)).toMatchObject({ post_payment_credit_notes_amount: 1700 });
});

test('a charge that is disputed ends won or lost by its evidence; a question by a bank takes nothing', async () => {
  const { stripe } = world;
  const disputed = async (card: string) => {
    const { customer } = await world.customerAt('2026-04-01T00:00:00', card);
    await stripe.invoiceItems.create({ customer, amount: 700, currency: 'usd' });
    const { id } = await stripe.invoices.create({ customer, pending_invoice_items_behavior: 'include' });
    await stripe.invoices.finalizeInvoice(id);
    expect(await stripe.invoices.pay(id)).toMatchObject({ status: 'paid', amount_paid: 700 });
    const [charge] = await chargesOf(customer);
    expect(charge).toMatchObject({ disputed: true, paid: true, amount_refunded: 0 });
    const { data } = await stripe.disputes.list({ charge: charge!.id });
    expect(data).toMatchObject([{ amount: 700, charge: charge!.id, payment_intent: charge!.payment_intent }]);
    return data[0]!;
  };
  const [won, lost, given] = [
    await disputed('pm_card_createDispute'),
    await disputed('pm_card_createDispute'),
    await disputed('pm_card_createDispute'),
  ];
  const asked = await disputed('pm_card_createDisputeInquiry');
  expect([won.status, asked.status]).toEqual(['needs_response', 'warning_needs_response']);
  const answer = async (id: string, text: string) =>
    (await stripe.disputes.update(id, { evidence: { uncategorized_text: text }, submit: true })).status;
  expect(await answer(given.id, 'a letter')).toBe('under_review');
  expect(await answer(won.id, 'winning_evidence')).toBe('won');
  expect(await answer(lost.id, 'losing_evidence')).toBe('lost');
  expect((await stripe.disputes.close(given.id)).status).toBe('lost');
  expect((await stripe.disputes.close(asked.id)).status).toBe('warning_closed');
  await expect(stripe.disputes.close(won.id)).rejects.toThrow('closed');
  expect(await world.eventsOf(won.id)).toEqual([
    'charge.dispute.created',
    'charge.dispute.funds_withdrawn',
    'charge.dispute.updated',
    'charge.dispute.funds_reinstated',
    'charge.dispute.closed',
  ]);
  expect(await world.eventsOf(asked.id)).toEqual(['charge.dispute.created', 'charge.dispute.closed']);
});
