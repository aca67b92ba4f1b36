import type Stripe from 'stripe';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { billingWorld, idOf, endOf, itemOf, seconds, type BillingWorld } from '../support/stripe-sandbox.js';

let world: BillingWorld;

beforeAll(async () => {
  world = await billingWorld();
});

afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

describe('a subscription', () => {
  test('is paid at once, and renewed at the same day of each month as far as the month has it', async () => {
    const { clock, customer } = await world.customerAt('2026-01-31T10:00:00');
    const subscription = await world.stripe.subscriptions.create({
      customer,
      items: [{ price: world.prices.pro.id }],
      expand: ['latest_invoice.payments'],
    });
    expect(subscription.status).toBe('active');
    const invoice = subscription.latest_invoice as Stripe.Invoice;
    expect(invoice).toMatchObject({
      status: 'paid',
      amount_paid: 4900,
      billing_reason: 'subscription_create',
    });
    const intent = await world.stripe.paymentIntents.retrieve(
      idOf(invoice.payments?.data[0]?.payment.payment_intent),
    );
    expect(intent).toMatchObject({ status: 'succeeded', amount: 4900, customer });
    const ends: string[] = [];
    for (const month of ['02-28', '03-31', '04-30', '05-31']) {
      await world.advance(clock, `2026-${month}T12:00:00`);
      const { items } = await world.stripe.subscriptions.retrieve(subscription.id);
      ends.push(new Date((items.data[0]?.current_period_end ?? 0) * 1000).toISOString());
    }
    expect(ends).toEqual([
      '2026-03-31T10:00:00.000Z',
      '2026-04-30T10:00:00.000Z',
      '2026-05-31T10:00:00.000Z',
      '2026-06-30T10:00:00.000Z',
    ]);
    expect(await world.invoicesOf(customer)).toMatchObject([
      { billing_reason: 'subscription_create', status: 'paid' },
      ...Array.from({ length: 4 }, () => ({
        billing_reason: 'subscription_cycle',
        status: 'paid',
        amount_paid: 4900,
      })),
    ]);
  });

  test('that changes its plan is charged to the second, as the preview said', async () => {
    const { clock, customer } = await world.customerAt('2026-04-01T00:00:00');
    const subscription = await world.stripe.subscriptions.create({
      customer,
      items: [{ price: world.prices.pro.id }],
    });
    await world.advance(clock, '2026-04-11T07:13:29');
    const at = seconds('2026-04-11T07:13:29');
    const items = [{ id: subscription.items.data[0]?.id ?? '', price: world.prices.enterprise.id }];
    const preview = await world.stripe.invoices.createPreview({
      customer,
      subscription: subscription.id,
      subscription_details: { items, proration_behavior: 'always_invoice', proration_date: at },
    });
    const left = seconds('2026-05-01T00:00:00') - at;
    const whole = 30 * 86_400;
    const unused = -Math.round((4900 * left) / whole);
    const remaining = Math.round((19_900 * left) / whole);
    expect(preview.lines.data.map(({ amount, description }) => [description, amount])).toEqual([
      ['Unused time on Pro after 11 Apr 2026', unused],
      ['Remaining time on Enterprise after 11 Apr 2026', remaining],
    ]);
    expect(preview).toMatchObject({
      amount_due: unused + remaining,
      status: 'draft',
      billing_reason: 'upcoming',
    });
    expect(await world.invoicesOf(customer)).toHaveLength(1);
    const changed = await world.stripe.subscriptions.update(subscription.id, {
      items,
      proration_behavior: 'always_invoice',
      proration_date: at,
      expand: ['latest_invoice'],
    });
    expect(changed.latest_invoice).toMatchObject({
      amount_paid: preview.amount_due,
      status: 'paid',
      billing_reason: 'subscription_update',
    });
  });

  test('of 29 February is renewed on the 28th, and on the 29th when there is one', async () => {
    const { clock, customer } = await world.customerAt('2024-02-29T12:00:00');
    const { id } = await world.stripe.subscriptions.create({
      customer,
      items: [{ price: world.prices.yearly.id }],
    });
    const ends: string[] = [];
    for (const year of [2025, 2026, 2027, 2028]) {
      await world.advance(clock, `${year}-03-02T00:00:00`);
      ends.push(endOf(await world.stripe.subscriptions.retrieve(id)).slice(0, 10));
    }
    expect(ends).toEqual(['2026-02-28', '2027-02-28', '2028-02-29', '2029-02-28']);
  });

  test('gives credit for what is too much, and uses it up', async () => {
    const { clock, customer } = await world.customerAt('2026-04-01T00:00:00');
    const { stripe } = world;
    const subscription = await stripe.subscriptions.create({
      customer,
      items: [{ price: world.prices.enterprise.id }],
    });
    await world.advance(clock, '2026-04-16T00:00:00');
    await stripe.subscriptions.update(subscription.id, {
      items: [{ id: itemOf(subscription), price: world.prices.pro.id }],
      proration_behavior: 'always_invoice',
    });
    const [, credit] = await world.invoicesOf(customer);
    expect(credit).toMatchObject({
      total: -7500,
      amount_due: 0,
      status: 'paid',
      starting_balance: 0,
      ending_balance: -7500,
    });
    expect(await stripe.customers.retrieve(customer)).toMatchObject({ balance: -7500 });
    await world.advance(clock, '2026-05-02T00:00:00');
    await world.advance(clock, '2026-06-02T00:00:00');
    const [, , may, june] = await world.invoicesOf(customer);
    expect(may).toMatchObject({ total: 4900, amount_due: 0, starting_balance: -7500, ending_balance: -2600 });
    expect(june).toMatchObject({ total: 4900, amount_due: 2300, amount_paid: 2300, ending_balance: 0 });
  });

  test('changed twice in a period gives credit for what was asked for last', async () => {
    const { clock, customer } = await world.customerAt('2026-04-01T00:00:00');
    const { stripe } = world;
    const subscription = await stripe.subscriptions.create({
      customer,
      items: [{ price: world.prices.pro.id }],
    });
    const change = async (price: string) =>
      stripe.subscriptions.update(subscription.id, {
        items: [{ id: itemOf(subscription), price }],
        proration_behavior: 'always_invoice',
        expand: ['latest_invoice'],
      });
    await world.advance(clock, '2026-04-11T00:00:00');
    await change(world.prices.enterprise.id);
    await world.advance(clock, '2026-04-21T00:00:00');
    const back = (await change(world.prices.pro.id)).latest_invoice as Stripe.Invoice;
    // 20 of 30 days of 199.00 were asked for; half of those are left.
    const asked = Math.round((19_900 * 20) / 30);
    expect(back.lines.data.map(({ amount }) => amount)).toEqual([
      -Math.round(asked / 2),
      Math.round(4900 / 3),
    ]);
    const [, upgrade] = await world.invoicesOf(customer);
    expect(back.lines.data[0]?.parent?.subscription_item_details).toMatchObject({
      proration: true,
      proration_details: {
        credited_items: { invoice: upgrade?.id, invoice_line_items: [upgrade?.lines.data[1]?.id] },
      },
    });
  });

  test('without always_invoice a change waits for the next invoice; with none it costs nothing before it', async () => {
    const { clock, customer } = await world.customerAt('2026-04-01T00:00:00');
    const { stripe } = world;
    const subscription = await stripe.subscriptions.create({
      customer,
      items: [{ price: world.prices.pro.id }],
    });
    await world.advance(clock, '2026-04-16T00:00:00');
    const items = [{ id: itemOf(subscription), price: world.prices.enterprise.id }];
    await stripe.subscriptions.update(subscription.id, { items });
    expect(await world.invoicesOf(customer)).toHaveLength(1);
    const preview = await stripe.invoices.createPreview({ subscription: subscription.id });
    expect(preview.lines.data.map(({ amount }) => amount)).toEqual([-2450, 9950, 19_900]);
    await stripe.subscriptions.update(subscription.id, {
      items: [{ id: itemOf(subscription), quantity: 2 }],
      proration_behavior: 'none',
    });
    await world.advance(clock, '2026-05-02T00:00:00');
    const [, renewal] = await world.invoicesOf(customer);
    expect(renewal).toMatchObject({
      total: -2450 + 9950 + 2 * 19_900,
      status: 'paid',
      billing_reason: 'subscription_cycle',
    });
  });

  test('that goes from months to years begins a new cycle at once, less what was left of the month', async () => {
    const { clock, customer } = await world.customerAt('2026-04-01T00:00:00');
    const { stripe } = world;
    const subscription = await stripe.subscriptions.create({
      customer,
      items: [{ price: world.prices.pro.id }],
    });
    await world.advance(clock, '2026-04-16T00:00:00');
    const wanted = { items: [{ id: itemOf(subscription), price: world.prices.yearly.id }] };
    const preview = await stripe.invoices.createPreview({
      subscription: subscription.id,
      subscription_details: wanted,
    });
    const changed = await stripe.subscriptions.update(subscription.id, {
      ...wanted,
      expand: ['latest_invoice'],
    });
    expect(endOf(changed)).toBe('2027-04-16T00:00:00.000Z');
    expect(changed.latest_invoice).toMatchObject({ amount_paid: 49_000 - 2450, status: 'paid' });
    expect(preview.amount_due).toBe(49_000 - 2450);
  });

  test('is cancelled at once, or at the end of its period unless that is taken back', async () => {
    const { clock, customer } = await world.customerAt('2026-04-01T00:00:00');
    const { stripe } = world;
    const one = await stripe.subscriptions.create({ customer, items: [{ price: world.prices.pro.id }] });
    const other = await stripe.subscriptions.create({ customer, items: [{ price: world.prices.pro.id }] });
    const third = await stripe.subscriptions.create({ customer, items: [{ price: world.prices.pro.id }] });
    const gone = await stripe.subscriptions.cancel(one.id, { cancellation_details: { comment: 'too blue' } });
    expect(gone).toMatchObject({
      status: 'canceled',
      ended_at: seconds('2026-04-01T00:00:00'),
      cancellation_details: { reason: 'cancellation_requested', comment: 'too blue' },
    });
    for (const { id } of [other, third])
      await stripe.subscriptions.update(id, { cancel_at_period_end: true });
    expect(await stripe.subscriptions.retrieve(other.id)).toMatchObject({
      status: 'active',
      cancel_at: seconds('2026-05-01T00:00:00'),
      canceled_at: seconds('2026-04-01T00:00:00'),
    });
    const kept = await stripe.subscriptions.update(third.id, { cancel_at_period_end: false });
    expect(kept).toMatchObject({
      cancel_at: null,
      canceled_at: null,
      cancellation_details: { reason: null },
    });
    // A day that was named goes by its own name only, and a call names one of the two.
    const day = seconds('2026-06-15T00:00:00');
    await stripe.subscriptions.update(third.id, { cancel_at: day });
    expect(await stripe.subscriptions.update(third.id, { cancel_at_period_end: false })).toMatchObject({
      cancel_at: day,
    });
    await expect(
      stripe.subscriptions.update(third.id, { cancel_at: '', cancel_at_period_end: false }),
    ).rejects.toMatchObject({ statusCode: 400 });
    expect(await stripe.subscriptions.update(third.id, { cancel_at: '' })).toMatchObject({
      cancel_at: null,
      canceled_at: null,
    });
    await world.advance(clock, '2026-05-01T02:00:00');
    expect(await world.statusOf(other.id)).toBe('canceled');
    expect(await world.statusOf(third.id)).toBe('active');
    expect(await world.eventsOf(other.id)).toContain('customer.subscription.deleted');
    expect(await world.invoicesOf(customer)).toHaveLength(4);
    await expect(stripe.subscriptions.cancel(one.id)).rejects.toMatchObject({
      statusCode: 404,
      code: 'resource_missing',
    });
  });
});
