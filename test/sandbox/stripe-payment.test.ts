import type Stripe from 'stripe';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { billingWorld, idOf, type BillingWorld } from '../support/stripe-sandbox.js';

let world: BillingWorld;

beforeAll(async () => {
  world = await billingWorld();
});

afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

describe('a first payment', () => {
  test('that is refused leaves the subscription incomplete, and after 23 hours it has never been', async () => {
    const { clock, customer } = await world.customerAt('2026-04-01T00:00:00', 'pm_card_chargeCustomerFail');
    const {
      id,
      status,
      latest_invoice: invoice,
    } = await world.stripe.subscriptions.create({ customer, items: [{ price: world.prices.pro.id }] });
    expect(status).toBe('incomplete');
    await world.advance(clock, '2026-04-01T22:59:59');
    expect(await world.statusOf(id)).toBe('incomplete');
    await world.advance(clock, '2026-04-01T23:00:00');
    expect(await world.statusOf(id)).toBe('incomplete_expired');
    expect(await world.stripe.invoices.retrieve(idOf(invoice))).toMatchObject({
      status: 'void',
      attempt_count: 1,
    });
  });

  test('that is refused can be made with another card in time', async () => {
    const { customer } = await world.customerAt('2026-04-01T00:00:00', 'pm_card_chargeCustomerFail');
    const { stripe } = world;
    const { id, latest_invoice: invoice } = await stripe.subscriptions.create({
      customer,
      items: [{ price: world.prices.pro.id }],
    });
    const { id: card } = await stripe.paymentMethods.attach('pm_card_visa', { customer });
    await stripe.invoices.pay(idOf(invoice), { payment_method: card });
    expect(await world.statusOf(id)).toBe('active');
  });

  test('is made by the customer when it is to be', async () => {
    const { customer } = await world.customerAt('2026-04-01T00:00:00', '');
    const { stripe } = world;
    const made = await stripe.subscriptions.create({
      customer,
      items: [{ price: world.prices.pro.id }],
      payment_behavior: 'default_incomplete',
      payment_settings: { save_default_payment_method: 'on_subscription' },
      expand: ['latest_invoice.confirmation_secret', 'latest_invoice.payments'],
    });
    const invoice = made.latest_invoice as Stripe.Invoice;
    expect(made.status).toBe('incomplete');
    expect(invoice).toMatchObject({ status: 'open', attempted: false });
    const intent = idOf(invoice.payments?.data[0]?.payment.payment_intent);
    expect(invoice.confirmation_secret?.client_secret).toMatch(new RegExp(`^${intent}_secret_`));
    await stripe.paymentIntents.confirm(intent, { payment_method: 'pm_card_visa' });
    const after = await stripe.subscriptions.retrieve(made.id, { expand: ['default_payment_method'] });
    expect(after).toMatchObject({
      status: 'active',
      default_payment_method: { card: { last4: '4242' }, customer },
    });
  });

  test('without a card is refused, and nothing is left of it', async () => {
    const { customer } = await world.customerAt('2026-04-01T00:00:00', '');
    const wanted = { customer, items: [{ price: world.prices.pro.id }] };
    await expect(world.stripe.subscriptions.create(wanted)).rejects.toMatchObject({
      statusCode: 400,
      code: 'resource_missing',
    });
    await world.useCard(customer, 'pm_card_chargeCustomerFail');
    await expect(
      world.stripe.subscriptions.create({ ...wanted, payment_behavior: 'error_if_incomplete' }),
    ).rejects.toMatchObject({
      statusCode: 402,
      type: 'StripeCardError',
      code: 'card_declined',
      decline_code: 'generic_decline',
    });
    expect((await world.stripe.subscriptions.list({ customer, status: 'all' })).data).toEqual([]);
    expect(await world.invoicesOf(customer)).toEqual([]);
  });

  test('by a card that asks waits for its owner', async () => {
    const { customer } = await world.customerAt('2026-04-01T00:00:00', 'pm_card_authenticationRequired');
    const made = await world.stripe.subscriptions.create({
      customer,
      items: [{ price: world.prices.pro.id }],
      expand: ['latest_invoice.payments'],
    });
    expect(made.status).toBe('incomplete');
    const intent = idOf((made.latest_invoice as Stripe.Invoice).payments?.data[0]?.payment.payment_intent);
    expect(await world.stripe.paymentIntents.retrieve(intent)).toMatchObject({ status: 'requires_action' });
    const page = `${world.sandbox.url}/_sandbox/pages/confirm/${intent}`;
    expect(await (await fetch(page)).text()).toContain('$49.00');
    await fetch(page, { method: 'POST', body: 'do=confirm' });
    expect(await world.statusOf(made.id)).toBe('active');
  });
});

describe('a renewal that is refused', () => {
  async function pastDue(): Promise<{ clock: string; customer: string; id: string }> {
    const { clock, customer } = await world.customerAt('2026-04-01T00:00:00');
    const { id } = await world.stripe.subscriptions.create({
      customer,
      items: [{ price: world.prices.pro.id }],
    });
    await world.useCard(customer, 'pm_card_chargeCustomerFail');
    await world.advance(clock, '2026-05-01T00:30:00');
    expect(await world.statusOf(id)).toBe('active');
    await world.advance(clock, '2026-05-01T01:00:00');
    return { clock, customer, id };
  }

  const settings = (wanted: object) =>
    fetch(`${world.sandbox.url}/_sandbox/settings`, { method: 'POST', body: JSON.stringify(wanted) });

  test('is tried again by its schedule, and ends the subscription after the last time', async () => {
    const { clock, customer, id } = await pastDue();
    expect(await world.statusOf(id)).toBe('past_due');
    const attempts: (string | null)[] = [];
    for (const date of ['05-01T02', '05-04T02', '05-09T02']) {
      await world.advance(clock, `2026-${date}:00:00`);
      const invoice = (await world.invoicesOf(customer)).at(-1);
      const next = invoice?.next_payment_attempt;
      attempts.push(
        `${invoice?.attempt_count} ${next == null ? null : new Date(next * 1000).toISOString().slice(5, 13)}`,
      );
    }
    expect(attempts).toEqual(['1 05-04T01', '2 05-09T01', '3 05-16T01']);
    expect(await world.statusOf(id)).toBe('past_due');
    await world.advance(clock, '2026-05-16T02:00:00');
    expect(await world.stripe.subscriptions.retrieve(id)).toMatchObject({
      status: 'canceled',
      cancellation_details: { reason: 'payment_failed' },
    });
    expect((await world.invoicesOf(customer)).at(-1)).toMatchObject({
      status: 'open',
      attempt_count: 4,
      auto_advance: false,
    });
  });

  test('is made good by a card that pays', async () => {
    const { clock, customer, id } = await pastDue();
    await world.useCard(customer, 'pm_card_visa');
    await world.advance(clock, '2026-05-04T02:00:00');
    expect(await world.statusOf(id)).toBe('active');
    expect((await world.invoicesOf(customer)).at(-1)).toMatchObject({ status: 'paid', attempt_count: 2 });
  });

  test('can leave the subscription unpaid, whose invoices stay drafts, until the latest is paid', async () => {
    await settings({ whenRetriesFail: 'mark_unpaid', retryAfterDays: [1] });
    const { clock, customer, id } = await pastDue();
    await world.advance(clock, '2026-05-03T00:00:00');
    expect(await world.statusOf(id)).toBe('unpaid');
    await world.advance(clock, '2026-06-02T00:00:00');
    const [, unpaid, draft] = await world.invoicesOf(customer);
    expect(draft).toMatchObject({ status: 'draft', auto_advance: false });
    await world.useCard(customer, 'pm_card_visa');
    await world.stripe.invoices.pay(unpaid?.id ?? '');
    expect(await world.statusOf(id)).toBe('active');
    await settings({ whenRetriesFail: 'cancel', retryAfterDays: [3, 5, 7] });
  });

  test('is made good by paying the latest invoice, not an older one', async () => {
    await settings({ whenRetriesFail: 'leave_past_due', retryAfterDays: [1] });
    const { clock, customer, id } = await pastDue();
    await world.advance(clock, '2026-06-01T02:00:00');
    const [, older, latest] = await world.invoicesOf(customer);
    expect([older?.status, latest?.status]).toEqual(['open', 'open']);
    await world.useCard(customer, 'pm_card_visa');
    await world.stripe.invoices.pay(older?.id ?? '');
    expect(await world.statusOf(id)).toBe('past_due');
    await world.stripe.invoices.pay(latest?.id ?? '');
    expect(await world.statusOf(id)).toBe('active');
    await settings({ whenRetriesFail: 'cancel', retryAfterDays: [3, 5, 7] });
  });

  test('no longer counts when its invoice is given up', async () => {
    const { customer, id } = await pastDue();
    const invoice = (await world.invoicesOf(customer)).at(-1);
    await world.stripe.invoices.markUncollectible(invoice?.id ?? '');
    expect(await world.statusOf(id)).toBe('active');
  });

  test('is told to those who pay by hand, too: the refusal of a call stays in the books', async () => {
    const { customer } = await pastDue();
    const invoice = (await world.invoicesOf(customer)).at(-1);
    await expect(world.stripe.invoices.pay(invoice?.id ?? '')).rejects.toMatchObject({
      type: 'StripeCardError',
      statusCode: 402,
    });
    expect(await world.eventsOf(invoice?.id ?? '')).toEqual([
      'invoice.created',
      'invoice.finalized',
      'invoice.updated',
      'invoice.payment_failed',
      'invoice.payment_failed',
    ]);
  });
});
