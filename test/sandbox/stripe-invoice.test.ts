import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { billingWorld, idOf, itemOf, seconds, type BillingWorld } from '../support/stripe-sandbox.js';

let world: BillingWorld;

beforeAll(async () => {
  world = await billingWorld();
});

afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

describe('an invoice made by hand', () => {
  test('takes the items that wait, gets its number when it is final, and is paid once', async () => {
    const { stripe } = world;
    const { customer } = await world.customerAt('2026-04-01T00:00:00');
    const item = await stripe.invoiceItems.create({
      customer,
      amount: 1500,
      currency: 'usd',
      description: 'Setup',
    });
    const draft = await stripe.invoices.create({
      customer,
      pending_invoice_items_behavior: 'include',
      metadata: { a: '1' },
    });
    expect(draft).toMatchObject({
      status: 'draft',
      number: null,
      total: 1500,
      billing_reason: 'manual',
      metadata: { a: '1' },
    });
    expect(await stripe.invoiceItems.retrieve(item.id)).toMatchObject({ invoice: draft.id });
    const { number, status } = await stripe.invoices.finalizeInvoice(draft.id);
    expect(status).toBe('open');
    expect(number).toMatch(/^[0-9A-Z]{8}-0001$/);
    expect(await stripe.invoices.pay(draft.id)).toMatchObject({
      status: 'paid',
      amount_paid: 1500,
      attempt_count: 1,
    });
    await expect(stripe.invoices.pay(draft.id)).rejects.toMatchObject({
      statusCode: 400,
      code: 'invoice_already_paid',
    });
    const { data } = await stripe.invoices.listLineItems(draft.id);
    expect(data).toMatchObject([
      { amount: 1500, parent: { invoice_item_details: { invoice_item: item.id } } },
    ]);
  });

  test('is voided, or thrown away while it is a draft', async () => {
    const { stripe } = world;
    const { customer } = await world.customerAt('2026-04-01T00:00:00');
    await stripe.invoiceItems.create({ customer, amount: 1500, currency: 'usd' });
    const draft = await stripe.invoices.create({ customer, pending_invoice_items_behavior: 'include' });
    expect(await stripe.invoices.del(draft.id)).toMatchObject({ deleted: true });
    await expect(stripe.invoices.retrieve(draft.id)).rejects.toMatchObject({ statusCode: 404 });
    const again = await stripe.invoices.create({ customer, pending_invoice_items_behavior: 'include' });
    expect(again.total).toBe(1500);
    await stripe.invoices.finalizeInvoice(again.id);
    expect(await stripe.invoices.voidInvoice(again.id)).toMatchObject({ status: 'void' });
    await expect(stripe.invoices.pay(again.id)).rejects.toMatchObject({ statusCode: 400 });
    await expect(stripe.invoices.del(again.id)).rejects.toMatchObject({ code: 'invoice_not_editable' });
  });

  test('may be paid outside, for which nothing is charged', async () => {
    const { stripe } = world;
    const { customer } = await world.customerAt('2026-04-01T00:00:00', '');
    const draft = await stripe.invoices.create({ customer });
    await stripe.invoiceItems.create({ customer, invoice: draft.id, amount: 700, currency: 'usd' });
    const paid = await stripe.invoices.pay(draft.id, { paid_out_of_band: true, expand: ['payments'] });
    expect(paid).toMatchObject({ status: 'paid', amount_paid: 0, amount_paid_off_stripe: 700 });
  });

  test('that is to advance by itself does so after an hour', async () => {
    const { stripe } = world;
    const { clock, customer } = await world.customerAt('2026-04-01T00:00:00');
    await stripe.invoiceItems.create({ customer, amount: 1500, currency: 'usd' });
    const draft = await stripe.invoices.create({
      customer,
      pending_invoice_items_behavior: 'include',
      auto_advance: true,
    });
    await world.advance(clock, '2026-04-01T00:59:59');
    expect(await stripe.invoices.retrieve(draft.id)).toMatchObject({ status: 'draft' });
    await world.advance(clock, '2026-04-01T01:00:00');
    expect(await stripe.invoices.retrieve(draft.id)).toMatchObject({ status: 'paid' });
  });

  test('that is sent waits for its customer, and is overdue after its day', async () => {
    const { stripe, prices } = world;
    const { clock, customer } = await world.customerAt('2026-04-01T00:00:00', '');
    const { id } = await stripe.subscriptions.create({
      customer,
      items: [{ price: prices.pro.id }],
      collection_method: 'send_invoice',
      days_until_due: 14,
    });
    await world.advance(clock, '2026-04-01T02:00:00');
    const [invoice] = await world.invoicesOf(customer);
    expect(invoice).toMatchObject({
      status: 'open',
      due_date: seconds('2026-04-15T00:00:00'),
      next_payment_attempt: null,
    });
    expect(await world.eventsOf(invoice?.id ?? '')).toEqual([
      'invoice.created',
      'invoice.finalized',
      'invoice.sent',
    ]);
    expect(await world.statusOf(id)).toBe('active');
    await world.advance(clock, '2026-04-15T00:00:00');
    expect(await world.statusOf(id)).toBe('past_due');
    await stripe.invoices.pay(invoice?.id ?? '', { paid_out_of_band: true });
    expect(await world.statusOf(id)).toBe('active');
  });
});

describe('a coupon', () => {
  test('takes its part off each invoice, and off a change of plan', async () => {
    const { stripe, prices } = world;
    const { clock, customer } = await world.customerAt('2026-04-01T00:00:00');
    const coupon = await stripe.coupons.create({
      percent_off: 15,
      duration: 'forever',
      name: 'Gold partner',
    });
    const subscription = await stripe.subscriptions.create({
      customer,
      items: [{ price: prices.pro.id }],
      discounts: [{ coupon: coupon.id }],
    });
    const [first] = await world.invoicesOf(customer);
    expect(first).toMatchObject({
      subtotal: 4900,
      total: 4165,
      amount_paid: 4165,
      total_discount_amounts: [{ amount: 735, discount: subscription.discounts[0] }],
      lines: { data: [{ amount: 4900, discount_amounts: [{ amount: 735 }] }] },
    });
    await world.advance(clock, '2026-04-16T00:00:00');
    const changed = await stripe.invoices.createPreview({
      subscription: subscription.id,
      subscription_details: {
        items: [{ id: itemOf(subscription), price: prices.enterprise.id }],
        proration_behavior: 'always_invoice',
      },
    });
    expect(changed.lines.data.map(({ amount }) => amount)).toEqual([
      -Math.round(4165 / 2),
      Math.round((19_900 * 0.85) / 2),
    ]);
    await stripe.coupons.del(coupon.id);
    await world.advance(clock, '2026-05-02T00:00:00');
    expect((await world.invoicesOf(customer)).at(-1)).toMatchObject({ total: 4165, status: 'paid' });
    expect(await stripe.customers.retrieve(customer)).not.toHaveProperty('deleted');
  });

  test('for once, or for some months, is gone then', async () => {
    const { stripe, prices } = world;
    for (const [terms, totals] of [
      [{ duration: 'once' }, [2450, 4900, 4900]],
      [{ duration: 'repeating', duration_in_months: 2 }, [2450, 2450, 4900]],
    ] as const) {
      const { clock, customer } = await world.customerAt('2026-04-01T00:00:00');
      const coupon = await stripe.coupons.create({ percent_off: 50, ...terms });
      await stripe.subscriptions.create({
        customer,
        items: [{ price: prices.pro.id }],
        discounts: [{ coupon: coupon.id }],
      });
      await world.advance(clock, '2026-05-02T00:00:00');
      await world.advance(clock, '2026-06-02T00:00:00');
      expect((await world.invoicesOf(customer)).map(({ total }) => total)).toEqual(totals);
    }
  });

  test('of an amount is taken off once, and never more than there is', async () => {
    const { stripe, prices } = world;
    const { customer } = await world.customerAt('2026-04-01T00:00:00');
    const coupon = await stripe.coupons.create({ amount_off: 6000, currency: 'usd', duration: 'once' });
    await stripe.subscriptions.create({
      customer,
      items: [{ price: prices.pro.id }],
      discounts: [{ coupon: coupon.id }],
    });
    expect(await world.invoicesOf(customer)).toMatchObject([{ total: 0, status: 'paid' }]);
  });

  test('can be put on, and taken off, a subscription that is there', async () => {
    const { stripe, prices } = world;
    const { customer } = await world.customerAt('2026-04-01T00:00:00');
    const coupon = await stripe.coupons.create({ percent_off: 5, duration: 'forever' });
    const { id } = await stripe.subscriptions.create({ customer, items: [{ price: prices.pro.id }] });
    await stripe.subscriptions.update(id, { discounts: [{ coupon: coupon.id }] });
    expect(await stripe.invoices.createPreview({ subscription: id })).toMatchObject({ total: 4655 });
    expect(await stripe.subscriptions.update(id, { discounts: '' })).toMatchObject({ discounts: [] });
    expect(await stripe.coupons.retrieve(coupon.id)).toMatchObject({ times_redeemed: 1 });
  });

  test('that is used up, over or unknown is refused by name', async () => {
    const { stripe, prices } = world;
    const { customer } = await world.customerAt('2026-04-01T00:00:00');
    const coupon = await stripe.coupons.create({ percent_off: 5, duration: 'once', max_redemptions: 1 });
    const { id } = await stripe.subscriptions.create({
      customer,
      items: [{ price: prices.pro.id }],
      discounts: [{ coupon: coupon.id }],
    });
    await expect(
      stripe.subscriptions.update(id, { discounts: [{ coupon: coupon.id }] }),
    ).rejects.toMatchObject({ code: 'coupon_expired' });
    await expect(stripe.subscriptions.update(id, { discounts: [{ coupon: 'none' }] })).rejects.toMatchObject({
      code: 'resource_missing',
      param: 'discounts[0][coupon]',
    });
  });
});

test('a change that could not be paid is held back for a day, when that is asked for', async () => {
  const { stripe, prices } = world;
  const { clock, customer } = await world.customerAt('2026-04-01T00:00:00');
  const before = await stripe.subscriptions.create({ customer, items: [{ price: prices.pro.id }] });
  const wanted = {
    items: [{ id: itemOf(before), price: prices.enterprise.id }],
    proration_behavior: 'always_invoice' as const,
  };
  await world.useCard(customer, 'pm_card_chargeCustomerFail');
  await expect(
    stripe.subscriptions.update(before.id, { ...wanted, payment_behavior: 'error_if_incomplete' }),
  ).rejects.toMatchObject({
    type: 'StripeCardError',
  });
  expect(await world.invoicesOf(customer)).toHaveLength(1);
  const held = await stripe.subscriptions.update(before.id, {
    ...wanted,
    payment_behavior: 'pending_if_incomplete',
  });
  expect(held).toMatchObject({
    status: 'active',
    items: { data: [{ price: { id: prices.pro.id } }] },
    pending_update: {
      expires_at: seconds('2026-04-01T23:00:00'),
      subscription_items: [{ price: { id: prices.enterprise.id } }],
    },
  });
  const { id: card } = await stripe.paymentMethods.attach('pm_card_visa', { customer });
  await stripe.invoices.pay(idOf(held.latest_invoice), { payment_method: card });
  expect(await stripe.subscriptions.retrieve(before.id)).toMatchObject({
    pending_update: null,
    items: { data: [{ price: { id: prices.enterprise.id } }] },
  });
  const back = await stripe.subscriptions.update(before.id, {
    items: [{ id: itemOf(before), quantity: 3 }],
    proration_behavior: 'always_invoice',
    payment_behavior: 'pending_if_incomplete',
  });
  await world.advance(clock, '2026-04-02T00:00:00');
  expect(await stripe.subscriptions.retrieve(before.id)).toMatchObject({
    pending_update: null,
    items: { data: [{ quantity: 1 }] },
  });
  expect(await stripe.invoices.retrieve(idOf(back.latest_invoice))).toMatchObject({ status: 'void' });
});

test('a change that could not be paid holds, and the subscription is past due, by default', async () => {
  const { stripe, prices } = world;
  const { customer } = await world.customerAt('2026-04-01T00:00:00');
  const before = await stripe.subscriptions.create({ customer, items: [{ price: prices.pro.id }] });
  await world.useCard(customer, 'pm_card_chargeCustomerFail');
  const after = await stripe.subscriptions.update(before.id, {
    items: [{ id: itemOf(before), price: prices.enterprise.id }],
    proration_behavior: 'always_invoice',
  });
  expect(after).toMatchObject({
    status: 'past_due',
    items: { data: [{ price: { id: prices.enterprise.id } }] },
  });
});

test('a preview of what is not there says so', async () => {
  const { stripe, prices } = world;
  const { customer } = await world.customerAt('2026-04-01T00:00:00');
  await expect(stripe.invoices.createPreview({ customer })).rejects.toMatchObject({
    statusCode: 404,
    code: 'invoice_upcoming_none',
  });
  const first = await stripe.invoices.createPreview({
    customer,
    subscription_details: { items: [{ price: prices.pro.id, quantity: 2 }] },
  });
  expect(first).toMatchObject({
    amount_due: 9800,
    status: 'draft',
    id: expect.stringMatching(/^upcoming_in_/),
  });
  expect((await stripe.subscriptions.list({ customer, status: 'all' })).data).toEqual([]);
  const { id } = await stripe.subscriptions.create({ customer, items: [{ price: prices.pro.id }] });
  await stripe.subscriptions.update(id, { cancel_at_period_end: true });
  await expect(stripe.invoices.createPreview({ subscription: id })).rejects.toMatchObject({
    code: 'invoice_upcoming_none',
  });
});
