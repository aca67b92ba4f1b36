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
  const monthly = { currency: 'usd', recurring: { interval: 'month' } } as const;
  pro = await stripe.prices.create({ ...monthly, product: product.id, unit_amount: 4900 });
  enterprise = await stripe.prices.create({ ...monthly, product: bigger.id, unit_amount: 19_900 });
  yearly = await stripe.prices.create({
    product: product.id,
    currency: 'usd',
    unit_amount: 49_000,
    recurring: { interval: 'year' },
  });
});

afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

/** A customer on a test clock of their own, with a card. */
async function customerAt(
  iso: string,
  card: string | undefined = 'pm_card_visa',
): Promise<{ clock: string; customer: string }> {
  const { stripe } = world;
  const clock = await stripe.testHelpers.testClocks.create({ frozen_time: seconds(iso) });
  const customer = await stripe.customers.create({
    email: 'ada@example.com',
    test_clock: clock.id,
    ...(card !== '' && { payment_method: card, invoice_settings: { default_payment_method: card } }),
  });
  return { clock: clock.id, customer: customer.id };
}

/** From now on the customer pays with this card. */
async function useCard(customer: string, card: string): Promise<void> {
  const { id } = await world.stripe.paymentMethods.attach(card, { customer });
  await world.stripe.customers.update(customer, { invoice_settings: { default_payment_method: id } });
}

const advance = (clock: string, iso: string) => world.sandbox.advance(clock, seconds(iso));

const invoicesOf = async (customer: string) => {
  const { data } = await world.stripe.invoices.list({ customer, limit: 100 });
  return data.toReversed();
};

const statusOf = async (id: string) => (await world.stripe.subscriptions.retrieve(id)).status;

/** When a subscription's period ends. */
const endOf = (subscription: Stripe.Subscription) =>
  new Date((subscription.items.data[0]?.current_period_end ?? 0) * 1000).toISOString();

const itemOf = (subscription: Stripe.Subscription) => subscription.items.data[0]?.id ?? '';

/** Types of the events that tell of an object, oldest first. */
async function eventsOf(id: string): Promise<string[]> {
  const types: string[] = [];
  for await (const event of world.stripe.events.list({ limit: 100 })) {
    const object = event.data.object as { id?: string };
    if (object.id === id) types.unshift(event.type);
  }
  return types;
}

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

  test('of 29 February is renewed on the 28th, and on the 29th when there is one', async () => {
    const { clock, customer } = await customerAt('2024-02-29T12:00:00');
    const { id } = await world.stripe.subscriptions.create({ customer, items: [{ price: yearly.id }] });
    const ends: string[] = [];
    for (const year of [2025, 2026, 2027, 2028]) {
      await advance(clock, `${year}-03-02T00:00:00`);
      ends.push(endOf(await world.stripe.subscriptions.retrieve(id)).slice(0, 10));
    }
    expect(ends).toEqual(['2026-02-28', '2027-02-28', '2028-02-29', '2029-02-28']);
  });

  test('gives credit for what is too much, and uses it up', async () => {
    const { clock, customer } = await customerAt('2026-04-01T00:00:00');
    const { stripe } = world;
    const subscription = await stripe.subscriptions.create({ customer, items: [{ price: enterprise.id }] });
    await advance(clock, '2026-04-16T00:00:00');
    await stripe.subscriptions.update(subscription.id, {
      items: [{ id: itemOf(subscription), price: pro.id }],
      proration_behavior: 'always_invoice',
    });
    const [, credit] = await invoicesOf(customer);
    expect(credit).toMatchObject({
      total: -7500,
      amount_due: 0,
      status: 'paid',
      starting_balance: 0,
      ending_balance: -7500,
    });
    expect(await stripe.customers.retrieve(customer)).toMatchObject({ balance: -7500 });
    await advance(clock, '2026-05-02T00:00:00');
    await advance(clock, '2026-06-02T00:00:00');
    const [, , may, june] = await invoicesOf(customer);
    expect(may).toMatchObject({ total: 4900, amount_due: 0, starting_balance: -7500, ending_balance: -2600 });
    expect(june).toMatchObject({ total: 4900, amount_due: 2300, amount_paid: 2300, ending_balance: 0 });
  });

  test('changed twice in a period gives credit for what was asked for last', async () => {
    const { clock, customer } = await customerAt('2026-04-01T00:00:00');
    const { stripe } = world;
    const subscription = await stripe.subscriptions.create({ customer, items: [{ price: pro.id }] });
    const change = async (price: string) =>
      stripe.subscriptions.update(subscription.id, {
        items: [{ id: itemOf(subscription), price }],
        proration_behavior: 'always_invoice',
        expand: ['latest_invoice'],
      });
    await advance(clock, '2026-04-11T00:00:00');
    await change(enterprise.id);
    await advance(clock, '2026-04-21T00:00:00');
    const back = (await change(pro.id)).latest_invoice as Stripe.Invoice;
    // 20 of 30 days of 199.00 were asked for; half of those are left.
    const asked = Math.round((19_900 * 20) / 30);
    expect(back.lines.data.map(({ amount }) => amount)).toEqual([
      -Math.round(asked / 2),
      Math.round(4900 / 3),
    ]);
    const [, upgrade] = await invoicesOf(customer);
    expect(back.lines.data[0]?.parent?.subscription_item_details).toMatchObject({
      proration: true,
      proration_details: {
        credited_items: { invoice: upgrade?.id, invoice_line_items: [upgrade?.lines.data[1]?.id] },
      },
    });
  });

  test('without always_invoice a change waits for the next invoice; with none it costs nothing before it', async () => {
    const { clock, customer } = await customerAt('2026-04-01T00:00:00');
    const { stripe } = world;
    const subscription = await stripe.subscriptions.create({ customer, items: [{ price: pro.id }] });
    await advance(clock, '2026-04-16T00:00:00');
    const items = [{ id: itemOf(subscription), price: enterprise.id }];
    await stripe.subscriptions.update(subscription.id, { items });
    expect(await invoicesOf(customer)).toHaveLength(1);
    const preview = await stripe.invoices.createPreview({ subscription: subscription.id });
    expect(preview.lines.data.map(({ amount }) => amount)).toEqual([-2450, 9950, 19_900]);
    await stripe.subscriptions.update(subscription.id, {
      items: [{ id: itemOf(subscription), quantity: 2 }],
      proration_behavior: 'none',
    });
    await advance(clock, '2026-05-02T00:00:00');
    const [, renewal] = await invoicesOf(customer);
    expect(renewal).toMatchObject({
      total: -2450 + 9950 + 2 * 19_900,
      status: 'paid',
      billing_reason: 'subscription_cycle',
    });
  });

  test('that goes from months to years begins a new cycle at once, less what was left of the month', async () => {
    const { clock, customer } = await customerAt('2026-04-01T00:00:00');
    const { stripe } = world;
    const subscription = await stripe.subscriptions.create({ customer, items: [{ price: pro.id }] });
    await advance(clock, '2026-04-16T00:00:00');
    const wanted = { items: [{ id: itemOf(subscription), price: yearly.id }] };
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
    const { clock, customer } = await customerAt('2026-04-01T00:00:00');
    const { stripe } = world;
    const one = await stripe.subscriptions.create({ customer, items: [{ price: pro.id }] });
    const other = await stripe.subscriptions.create({ customer, items: [{ price: pro.id }] });
    const third = await stripe.subscriptions.create({ customer, items: [{ price: pro.id }] });
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
    await advance(clock, '2026-05-01T02:00:00');
    expect(await statusOf(other.id)).toBe('canceled');
    expect(await statusOf(third.id)).toBe('active');
    expect(await eventsOf(other.id)).toContain('customer.subscription.deleted');
    expect(await invoicesOf(customer)).toHaveLength(4);
    await expect(stripe.subscriptions.cancel(one.id)).rejects.toMatchObject({
      statusCode: 404,
      code: 'resource_missing',
    });
  });
});

describe('a first payment', () => {
  test('that is refused leaves the subscription incomplete, and after 23 hours it has never been', async () => {
    const { clock, customer } = await customerAt('2026-04-01T00:00:00', 'pm_card_chargeCustomerFail');
    const {
      id,
      status,
      latest_invoice: invoice,
    } = await world.stripe.subscriptions.create({ customer, items: [{ price: pro.id }] });
    expect(status).toBe('incomplete');
    await advance(clock, '2026-04-01T22:59:59');
    expect(await statusOf(id)).toBe('incomplete');
    await advance(clock, '2026-04-01T23:00:00');
    expect(await statusOf(id)).toBe('incomplete_expired');
    expect(await world.stripe.invoices.retrieve(String(invoice))).toMatchObject({
      status: 'void',
      attempt_count: 1,
    });
  });

  test('that is refused can be made with another card in time', async () => {
    const { customer } = await customerAt('2026-04-01T00:00:00', 'pm_card_chargeCustomerFail');
    const { stripe } = world;
    const { id, latest_invoice: invoice } = await stripe.subscriptions.create({
      customer,
      items: [{ price: pro.id }],
    });
    const { id: card } = await stripe.paymentMethods.attach('pm_card_visa', { customer });
    await stripe.invoices.pay(String(invoice), { payment_method: card });
    expect(await statusOf(id)).toBe('active');
  });

  test('is made by the customer when it is to be', async () => {
    const { customer } = await customerAt('2026-04-01T00:00:00', '');
    const { stripe } = world;
    const made = await stripe.subscriptions.create({
      customer,
      items: [{ price: pro.id }],
      payment_behavior: 'default_incomplete',
      payment_settings: { save_default_payment_method: 'on_subscription' },
      expand: ['latest_invoice.confirmation_secret', 'latest_invoice.payments'],
    });
    const invoice = made.latest_invoice as Stripe.Invoice;
    expect(made.status).toBe('incomplete');
    expect(invoice).toMatchObject({ status: 'open', attempted: false });
    const intent = String(invoice.payments?.data[0]?.payment.payment_intent);
    expect(invoice.confirmation_secret?.client_secret).toMatch(new RegExp(`^${intent}_secret_`));
    await stripe.paymentIntents.confirm(intent, { payment_method: 'pm_card_visa' });
    const after = await stripe.subscriptions.retrieve(made.id, { expand: ['default_payment_method'] });
    expect(after).toMatchObject({
      status: 'active',
      default_payment_method: { card: { last4: '4242' }, customer },
    });
  });

  test('without a card is refused, and nothing is left of it', async () => {
    const { customer } = await customerAt('2026-04-01T00:00:00', '');
    const wanted = { customer, items: [{ price: pro.id }] };
    await expect(world.stripe.subscriptions.create(wanted)).rejects.toMatchObject({
      statusCode: 400,
      code: 'resource_missing',
    });
    await useCard(customer, 'pm_card_chargeCustomerFail');
    await expect(
      world.stripe.subscriptions.create({ ...wanted, payment_behavior: 'error_if_incomplete' }),
    ).rejects.toMatchObject({
      statusCode: 402,
      type: 'StripeCardError',
      code: 'card_declined',
      decline_code: 'generic_decline',
    });
    expect((await world.stripe.subscriptions.list({ customer, status: 'all' })).data).toEqual([]);
    expect(await invoicesOf(customer)).toEqual([]);
  });

  test('by a card that asks waits for its owner', async () => {
    const { customer } = await customerAt('2026-04-01T00:00:00', 'pm_card_authenticationRequired');
    const made = await world.stripe.subscriptions.create({
      customer,
      items: [{ price: pro.id }],
      expand: ['latest_invoice.payments'],
    });
    expect(made.status).toBe('incomplete');
    const intent = String((made.latest_invoice as Stripe.Invoice).payments?.data[0]?.payment.payment_intent);
    expect(await world.stripe.paymentIntents.retrieve(intent)).toMatchObject({ status: 'requires_action' });
    const page = `${world.sandbox.url}/_sandbox/pages/confirm/${intent}`;
    expect(await (await fetch(page)).text()).toContain('$49.00');
    await fetch(page, { method: 'POST', body: 'do=confirm' });
    expect(await statusOf(made.id)).toBe('active');
  });
});

describe('a renewal that is refused', () => {
  async function pastDue(): Promise<{ clock: string; customer: string; id: string }> {
    const { clock, customer } = await customerAt('2026-04-01T00:00:00');
    const { id } = await world.stripe.subscriptions.create({ customer, items: [{ price: pro.id }] });
    await useCard(customer, 'pm_card_chargeCustomerFail');
    await advance(clock, '2026-05-01T00:30:00');
    expect(await statusOf(id)).toBe('active');
    await advance(clock, '2026-05-01T01:00:00');
    return { clock, customer, id };
  }

  const settings = (wanted: object) =>
    fetch(`${world.sandbox.url}/_sandbox/settings`, { method: 'POST', body: JSON.stringify(wanted) });

  test('is tried again by its schedule, and ends the subscription after the last time', async () => {
    const { clock, customer, id } = await pastDue();
    expect(await statusOf(id)).toBe('past_due');
    const attempts: (string | null)[] = [];
    for (const date of ['05-01T02', '05-04T02', '05-09T02']) {
      await advance(clock, `2026-${date}:00:00`);
      const invoice = (await invoicesOf(customer)).at(-1);
      const next = invoice?.next_payment_attempt;
      attempts.push(
        `${invoice?.attempt_count} ${next == null ? null : new Date(next * 1000).toISOString().slice(5, 13)}`,
      );
    }
    expect(attempts).toEqual(['1 05-04T01', '2 05-09T01', '3 05-16T01']);
    expect(await statusOf(id)).toBe('past_due');
    await advance(clock, '2026-05-16T02:00:00');
    expect(await world.stripe.subscriptions.retrieve(id)).toMatchObject({
      status: 'canceled',
      cancellation_details: { reason: 'payment_failed' },
    });
    expect((await invoicesOf(customer)).at(-1)).toMatchObject({
      status: 'open',
      attempt_count: 4,
      auto_advance: false,
    });
  });

  test('is made good by a card that pays', async () => {
    const { clock, customer, id } = await pastDue();
    await useCard(customer, 'pm_card_visa');
    await advance(clock, '2026-05-04T02:00:00');
    expect(await statusOf(id)).toBe('active');
    expect((await invoicesOf(customer)).at(-1)).toMatchObject({ status: 'paid', attempt_count: 2 });
  });

  test('can leave the subscription unpaid, whose invoices stay drafts, until the latest is paid', async () => {
    await settings({ whenRetriesFail: 'mark_unpaid', retryAfterDays: [1] });
    const { clock, customer, id } = await pastDue();
    await advance(clock, '2026-05-03T00:00:00');
    expect(await statusOf(id)).toBe('unpaid');
    await advance(clock, '2026-06-02T00:00:00');
    const [, unpaid, draft] = await invoicesOf(customer);
    expect(draft).toMatchObject({ status: 'draft', auto_advance: false });
    await useCard(customer, 'pm_card_visa');
    await world.stripe.invoices.pay(unpaid?.id ?? '');
    expect(await statusOf(id)).toBe('active');
    await settings({ whenRetriesFail: 'cancel', retryAfterDays: [3, 5, 7] });
  });

  test('no longer counts when its invoice is given up', async () => {
    const { customer, id } = await pastDue();
    const invoice = (await invoicesOf(customer)).at(-1);
    await world.stripe.invoices.markUncollectible(invoice?.id ?? '');
    expect(await statusOf(id)).toBe('active');
  });

  test('is told to those who pay by hand, too: the refusal of a call stays in the books', async () => {
    const { customer } = await pastDue();
    const invoice = (await invoicesOf(customer)).at(-1);
    await expect(world.stripe.invoices.pay(invoice?.id ?? '')).rejects.toMatchObject({
      type: 'StripeCardError',
      statusCode: 402,
    });
    expect(await eventsOf(invoice?.id ?? '')).toEqual([
      'invoice.created',
      'invoice.finalized',
      'invoice.updated',
      'invoice.payment_failed',
      'invoice.payment_failed',
    ]);
  });
});

describe('a trial', () => {
  test('costs nothing, is said to end three days before, and then is paid for', async () => {
    const { clock, customer } = await customerAt('2026-04-01T00:00:00');
    const made = await world.stripe.subscriptions.create({
      customer,
      items: [{ price: pro.id }],
      trial_period_days: 14,
    });
    expect(made).toMatchObject({ status: 'trialing', trial_end: seconds('2026-04-15T00:00:00') });
    expect(await invoicesOf(customer)).toMatchObject([
      { status: 'paid', total: 0, lines: { data: [{ description: 'Trial period for Pro' }] } },
    ]);
    await advance(clock, '2026-04-11T23:59:59');
    expect(await eventsOf(made.id)).not.toContain('customer.subscription.trial_will_end');
    await advance(clock, '2026-04-12T00:00:00');
    expect(await eventsOf(made.id)).toContain('customer.subscription.trial_will_end');
    await advance(clock, '2026-04-15T02:00:00');
    const after = await world.stripe.subscriptions.retrieve(made.id);
    expect(after.status).toBe('active');
    expect(endOf(after)).toBe('2026-05-15T00:00:00.000Z');
    expect((await invoicesOf(customer)).at(-1)).toMatchObject({ status: 'paid', total: 4900 });
    expect((await eventsOf(made.id)).filter((type) => type.endsWith('trial_will_end'))).toHaveLength(1);
  });

  test.for([
    ['pause', 'paused'],
    ['cancel', 'canceled'],
    ['create_invoice', 'past_due'],
  ] as const)('without a card at its end does as it was told: %s', async ([missing, status]) => {
    const { clock, customer } = await customerAt('2026-04-01T00:00:00', '');
    const { id } = await world.stripe.subscriptions.create({
      customer,
      items: [{ price: pro.id }],
      trial_period_days: 7,
      trial_settings: { end_behavior: { missing_payment_method: missing } },
    });
    await advance(clock, '2026-04-08T02:00:00');
    expect(await statusOf(id)).toBe(status);
  });

  test('that was paused is taken up again when it is paid', async () => {
    const { clock, customer } = await customerAt('2026-04-01T00:00:00', '');
    const { stripe } = world;
    const { id } = await stripe.subscriptions.create({
      customer,
      items: [{ price: pro.id }],
      trial_period_days: 7,
      trial_settings: { end_behavior: { missing_payment_method: 'pause' } },
    });
    await advance(clock, '2026-04-20T00:00:00');
    await useCard(customer, 'pm_card_visa');
    const resumed = await stripe.subscriptions.resume(id, { billing_cycle_anchor: 'now' });
    expect(resumed.status).toBe('active');
    expect(endOf(resumed)).toBe('2026-05-20T00:00:00.000Z');
    expect(await eventsOf(id)).toEqual(
      expect.arrayContaining(['customer.subscription.paused', 'customer.subscription.resumed']),
    );
  });

  test('can be ended early', async () => {
    const { customer } = await customerAt('2026-04-01T00:00:00');
    const { id } = await world.stripe.subscriptions.create({
      customer,
      items: [{ price: pro.id }],
      trial_period_days: 7,
    });
    const after = await world.stripe.subscriptions.update(id, { trial_end: 'now' });
    expect(after.status).toBe('active');
    expect((await invoicesOf(customer)).at(-1)).toMatchObject({ status: 'paid', total: 4900 });
  });
});
