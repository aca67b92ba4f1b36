import type Stripe from 'stripe';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { sandboxWorld, seconds, type SandboxWorld } from '../support/stripe-sandbox.js';

let world: SandboxWorld;
let pro: Stripe.Price;
let enterprise: Stripe.Price;
let yearly: Stripe.Price;

beforeAll(async () => {
  world = await sandboxWorld();
  const { stripe } = world;
  const product = await stripe.products.create({ name: 'Pro' });
  const bigger = await stripe.products.create({ name: 'Enterprise' });
  pro = await stripe.prices.create({
    product: product.id,
    currency: 'usd',
    unit_amount: 4900,
    recurring: { interval: 'month' },
    lookup_key: 'pro_monthly',
  });
  yearly = await stripe.prices.create({
    product: product.id,
    currency: 'usd',
    unit_amount: 49_000,
    recurring: { interval: 'year' },
  });
  enterprise = await stripe.prices.create({
    product: bigger.id,
    currency: 'usd',
    unit_amount: 19_900,
    recurring: { interval: 'month' },
  });
});

afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

/** A customer on a test clock of their own, with a card. */
async function customerAt(iso: string, card = 'pm_card_visa'): Promise<{ clock: string; customer: string }> {
  const { stripe } = world;
  const clock = await stripe.testHelpers.testClocks.create({ frozen_time: seconds(iso) });
  const customer = await stripe.customers.create({
    email: 'ada@example.com',
    test_clock: clock.id,
    payment_method: card,
    invoice_settings: { default_payment_method: card },
  });
  return { clock: clock.id, customer: customer.id };
}

const advance = (clock: string, iso: string) => world.sandbox.advance(clock, seconds(iso));

const invoicesOf = async (customer: string) => {
  const { data } = await world.stripe.invoices.list({ customer, limit: 100 });
  return data.toReversed();
};

describe('a subscription', () => {
  test('is paid at once, and renewed at the same day of each month as far as the month has it', async () => {
    const { clock, customer } = await customerAt('2026-01-31T10:00:00');
    const subscription = await world.stripe.subscriptions.create({
      customer,
      items: [{ price: pro.id }],
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
      String(invoice.payments?.data[0]?.payment.payment_intent),
    );
    expect(intent).toMatchObject({ status: 'succeeded', amount: 4900, customer });
    const ends: string[] = [];
    for (const month of ['02-28', '03-31', '04-30', '05-31']) {
      await advance(clock, `2026-${month}T12:00:00`);
      const { items } = await world.stripe.subscriptions.retrieve(subscription.id);
      ends.push(new Date((items.data[0]?.current_period_end ?? 0) * 1000).toISOString());
    }
    expect(ends).toEqual([
      '2026-03-31T10:00:00.000Z',
      '2026-04-30T10:00:00.000Z',
      '2026-05-31T10:00:00.000Z',
      '2026-06-30T10:00:00.000Z',
    ]);
    expect(await invoicesOf(customer)).toMatchObject([
      { billing_reason: 'subscription_create', status: 'paid' },
      ...Array.from({ length: 4 }, () => ({
        billing_reason: 'subscription_cycle',
        status: 'paid',
        amount_paid: 4900,
      })),
    ]);
  });

  test('that changes its plan is charged to the second, as the preview said', async () => {
    const { clock, customer } = await customerAt('2026-04-01T00:00:00');
    const subscription = await world.stripe.subscriptions.create({ customer, items: [{ price: pro.id }] });
    await advance(clock, '2026-04-11T07:13:29');
    const at = seconds('2026-04-11T07:13:29');
    const items = [{ id: subscription.items.data[0]?.id ?? '', price: enterprise.id }];
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
    expect(await invoicesOf(customer)).toHaveLength(1);
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
});
