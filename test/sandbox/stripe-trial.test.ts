import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { billingWorld, endOf, seconds, type BillingWorld } from '../support/stripe-sandbox.js';

let world: BillingWorld;

beforeAll(async () => {
  world = await billingWorld();
});

afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

describe('a trial', () => {
  test('costs nothing, is said to end three days before, and then is paid for', async () => {
    const { clock, customer } = await world.customerAt('2026-04-01T00:00:00');
    const made = await world.stripe.subscriptions.create({
      customer,
      items: [{ price: world.prices.pro.id }],
      trial_period_days: 14,
    });
    expect(made).toMatchObject({ status: 'trialing', trial_end: seconds('2026-04-15T00:00:00') });
    expect(await world.invoicesOf(customer)).toMatchObject([
      { status: 'paid', total: 0, lines: { data: [{ description: 'Trial period for Pro' }] } },
    ]);
    await world.advance(clock, '2026-04-11T23:59:59');
    expect(await world.eventsOf(made.id)).not.toContain('customer.subscription.trial_will_end');
    await world.advance(clock, '2026-04-12T00:00:00');
    expect(await world.eventsOf(made.id)).toContain('customer.subscription.trial_will_end');
    await world.advance(clock, '2026-04-15T02:00:00');
    const after = await world.stripe.subscriptions.retrieve(made.id);
    expect(after.status).toBe('active');
    expect(endOf(after)).toBe('2026-05-15T00:00:00.000Z');
    expect((await world.invoicesOf(customer)).at(-1)).toMatchObject({ status: 'paid', total: 4900 });
    expect((await world.eventsOf(made.id)).filter((type) => type.endsWith('trial_will_end'))).toHaveLength(1);
  });

  test('is that of the phase in which a schedule is: sent without, the phase has none, and is paid for at once', async () => {
    const { stripe, prices } = world;
    const { customer } = await world.customerAt('2026-04-01T00:00:00');
    const made = await stripe.subscriptions.create({
      customer,
      items: [{ price: prices.pro.id }],
      trial_period_days: 14,
    });
    const { id, phases } = await stripe.subscriptionSchedules.create({ from_subscription: made.id });
    const phase = {
      items: [{ price: prices.pro.id }],
      start_date: phases[0]!.start_date,
      end_date: phases[0]!.end_date,
    };
    expect(phases[0]!.trial_end).toBe(made.trial_end);
    const status = async () => (await stripe.subscriptions.retrieve(made.id)).status;
    await stripe.subscriptionSchedules.update(id, { phases: [{ ...phase, trial_end: made.trial_end! }] });
    expect(await status()).toBe('trialing');
    await stripe.subscriptionSchedules.update(id, { phases: [phase] });
    expect(await status()).toBe('active');
    expect((await world.invoicesOf(customer)).at(-1)).toMatchObject({ status: 'paid', total: 4900 });
  });

  test.for([
    ['pause', 'paused'],
    ['cancel', 'canceled'],
    ['create_invoice', 'past_due'],
  ] as const)('without a card at its end does as it was told: %s', async ([missing, status]) => {
    const { clock, customer } = await world.customerAt('2026-04-01T00:00:00', '');
    const { id } = await world.stripe.subscriptions.create({
      customer,
      items: [{ price: world.prices.pro.id }],
      trial_period_days: 7,
      trial_settings: { end_behavior: { missing_payment_method: missing } },
    });
    await world.advance(clock, '2026-04-08T02:00:00');
    expect(await world.statusOf(id)).toBe(status);
  });

  test('that was paused is taken up again when it is paid', async () => {
    const { clock, customer } = await world.customerAt('2026-04-01T00:00:00', '');
    const { stripe } = world;
    const { id } = await stripe.subscriptions.create({
      customer,
      items: [{ price: world.prices.pro.id }],
      trial_period_days: 7,
      trial_settings: { end_behavior: { missing_payment_method: 'pause' } },
    });
    await world.advance(clock, '2026-04-20T00:00:00');
    await world.useCard(customer, 'pm_card_visa');
    const asked = await stripe.subscriptions.resume(id, { billing_cycle_anchor: { type: 'now' } });
    expect(asked.status).toBe('paused');
    await stripe.invoices.pay(asked.latest_invoice as string);
    const resumed = await stripe.subscriptions.retrieve(id);
    expect(resumed.status).toBe('active');
    expect(endOf(resumed)).toBe('2026-05-20T00:00:00.000Z');
    expect(await world.eventsOf(id)).toEqual(
      expect.arrayContaining(['customer.subscription.paused', 'customer.subscription.resumed']),
    );
  });

  test('that was paused is past due when its payment fails', async () => {
    const { clock, customer } = await world.customerAt('2026-04-01T00:00:00', '');
    const { stripe } = world;
    const { id } = await stripe.subscriptions.create({
      customer,
      items: [{ price: world.prices.pro.id }],
      trial_period_days: 7,
      trial_settings: { end_behavior: { missing_payment_method: 'pause' } },
    });
    await world.advance(clock, '2026-04-20T00:00:00');
    await world.useCard(customer, 'pm_card_chargeCustomerFail');
    const { latest_invoice: invoice } = await stripe.subscriptions.resume(id);
    await expect(stripe.invoices.pay(invoice as string)).rejects.toMatchObject({ statusCode: 402 });
    expect(await world.statusOf(id)).toBe('past_due');
  });

  test('can be ended early', async () => {
    const { customer } = await world.customerAt('2026-04-01T00:00:00');
    const { id } = await world.stripe.subscriptions.create({
      customer,
      items: [{ price: world.prices.pro.id }],
      trial_period_days: 7,
    });
    const after = await world.stripe.subscriptions.update(id, { trial_end: 'now' });
    expect(after.status).toBe('active');
    expect((await world.invoicesOf(customer)).at(-1)).toMatchObject({ status: 'paid', total: 4900 });
  });
});
