import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { billingWorld, endOf, type BillingWorld } from '../support/stripe-sandbox.js';

let world: BillingWorld;

beforeAll(async () => {
  world = await billingWorld();
});

afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

/** Sends a page's form, as a browser does. */
async function send(page: string, fields: Record<string, string>) {
  const response = await fetch(page, {
    method: 'POST',
    body: new URLSearchParams(fields),
    redirect: 'manual',
  });
  return { status: response.status, location: response.headers.get('location'), text: await response.text() };
}

const success = 'https://panel.example/billing?session={CHECKOUT_SESSION_ID}';

async function checkout(fields: object = {}) {
  return world.stripe.checkout.sessions.create({
    mode: 'subscription',
    line_items: [{ price: world.prices.pro.id, quantity: 1 }],
    success_url: success,
    cancel_url: 'https://panel.example/billing',
    ...fields,
  });
}

describe('a checkout page', () => {
  test('begins the subscription when its card pays, and leads back', async () => {
    const customer = await world.stripe.customers.create({ email: 'ada@example.com' });
    const coupon = await world.stripe.coupons.create({ percent_off: 10, duration: 'forever' });
    const session = await checkout({
      customer: customer.id,
      client_reference_id: 'tenant-1',
      discounts: [{ coupon: coupon.id }],
      subscription_data: { metadata: { tenant: '1' } },
    });
    expect(session).toMatchObject({ status: 'open', payment_status: 'unpaid', amount_total: 4900 });
    const shown = await fetch(session.url ?? '');
    expect(shown.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(await shown.text()).toContain('1 × Pro: $49.00 a month');
    const sent = await send(session.url ?? '', { do: 'pay', card: 'pm_card_visa' });
    expect(sent).toMatchObject({
      status: 303,
      location: success.replace('{CHECKOUT_SESSION_ID}', session.id),
    });
    const done = await world.stripe.checkout.sessions.retrieve(session.id, {
      expand: ['subscription', 'invoice', 'line_items'],
    });
    expect(done).toMatchObject({
      status: 'complete',
      payment_status: 'paid',
      client_reference_id: 'tenant-1',
      customer: customer.id,
      subscription: { status: 'active', metadata: { tenant: '1' } },
      invoice: { amount_paid: 4410 },
      line_items: { data: [{ quantity: 1, price: { id: world.prices.pro.id } }] },
    });
    await world.sandbox.delivered();
    const event = world.received.find(({ event: { type } }) => type === 'checkout.session.completed')?.event;
    expect(event?.data.object).toMatchObject({
      id: session.id,
      subscription: (done.subscription as { id: string }).id,
    });
    expect(event?.data.object).not.toHaveProperty('line_items');
  });

  test('says why a card is refused, leaves nothing behind, and can be tried again', async () => {
    const session = await checkout({ customer_email: 'grace@example.com' });
    const page = session.url ?? '';
    const late = await send(page, { do: 'pay', card: 'pm_card_chargeCustomerFail' });
    expect(late).toMatchObject({ status: 402, text: expect.stringContaining('Your card was declined.') });
    const sent = await send(page, { do: 'pay', card: 'pm_card_visa_chargeDeclinedInsufficientFunds' });
    expect(sent).toMatchObject({
      status: 402,
      text: expect.stringContaining('Your card has insufficient funds.'),
    });
    expect((await world.stripe.customers.list({ email: 'grace@example.com' })).data).toEqual([]);
    expect(await send(page, { do: 'pay', card: 'pm_card_authenticationRequired' })).toMatchObject({
      status: 303,
    });
    expect(await world.stripe.checkout.sessions.retrieve(session.id)).toMatchObject({ status: 'complete' });
    expect(await send(page, { do: 'pay', card: 'pm_card_visa' })).toMatchObject({ status: 410 });
  });

  test('can be left, and closes after a day', async () => {
    const session = await checkout();
    expect(await send(session.url ?? '', { do: 'cancel' })).toMatchObject({
      status: 303,
      location: 'https://panel.example/billing',
    });
    expect(await world.stripe.checkout.sessions.retrieve(session.id)).toMatchObject({ status: 'open' });
    await world.clock.advance(24 * 3600_000);
    expect(await world.stripe.checkout.sessions.retrieve(session.id)).toMatchObject({
      status: 'expired',
      url: null,
    });
    expect(await world.eventsOf(session.id)).toEqual(['checkout.session.expired']);
  });

  test('with a trial asks for nothing today', async () => {
    const session = await checkout({ subscription_data: { trial_period_days: 14 } });
    expect(session.amount_total).toBe(0);
    await send(session.url ?? '', { do: 'pay', card: 'pm_card_visa' });
    const done = await world.stripe.checkout.sessions.retrieve(session.id, { expand: ['subscription'] });
    expect(done).toMatchObject({
      payment_status: 'no_payment_required',
      subscription: { status: 'trialing' },
    });
  });
});

test('the portal cancels and keeps a subscription, changes the card, and shows invoices', async () => {
  const { stripe } = world;
  const { customer } = await world.customerAt('2026-04-01T00:00:00');
  const subscription = await stripe.subscriptions.create({
    customer,
    items: [{ price: world.prices.pro.id }],
  });
  const session = await stripe.billingPortal.sessions.create({
    customer,
    return_url: 'https://panel.example/billing',
  });
  const page = await (await fetch(session.url)).text();
  expect(page).toContain('visa ending in 4242');
  expect(page).toContain('https://panel.example/billing');
  expect(await send(session.url, { do: 'cancel', subscription: subscription.id })).toMatchObject({
    status: 303,
  });
  // In flexible billing mode the day is named, and not the end of the period.
  const ending = await stripe.subscriptions.retrieve(subscription.id);
  expect(ending).toMatchObject({
    cancel_at: ending.items.data[0]!.current_period_end,
    cancel_at_period_end: false,
    cancellation_details: { reason: 'cancellation_requested' },
  });
  await send(session.url, { do: 'keep', subscription: subscription.id });
  const kept = await stripe.subscriptions.retrieve(subscription.id);
  expect(kept).toMatchObject({ cancel_at: null, cancel_at_period_end: false });
  expect(endOf(kept)).toBe('2026-05-01T00:00:00.000Z');
  await send(session.url, { do: 'card', card: 'pm_card_mastercard' });
  const after = await stripe.customers.retrieve(customer, {
    expand: ['invoice_settings.default_payment_method'],
  });
  expect(after).toMatchObject({ invoice_settings: { default_payment_method: { card: { last4: '4444' } } } });
});

test("another customer's subscription is not the portal's to change", async () => {
  const { stripe } = world;
  const [mine, theirs] = [
    await world.customerAt('2026-04-01T00:00:00'),
    await world.customerAt('2026-04-01T00:00:00'),
  ];
  const subscription = await stripe.subscriptions.create({
    customer: theirs.customer,
    items: [{ price: world.prices.pro.id }],
  });
  const session = await stripe.billingPortal.sessions.create({ customer: mine.customer });
  await send(session.url, { do: 'cancel', subscription: subscription.id });
  expect(await stripe.subscriptions.retrieve(subscription.id)).toMatchObject({ cancel_at: null });
});

test('an invoice has a page on which it is paid, and a document', async () => {
  const { stripe } = world;
  const { customer } = await world.customerAt('2026-04-01T00:00:00', '');
  await stripe.invoiceItems.create({ customer, amount: 1250, currency: 'usd', description: 'Help <b>' });
  const draft = await stripe.invoices.create({ customer, pending_invoice_items_behavior: 'include' });
  const open = await stripe.invoices.finalizeInvoice(draft.id);
  const page = open.hosted_invoice_url ?? '';
  expect(await (await fetch(page)).text()).toContain('Help &lt;b&gt;: $12.50');
  expect(await send(page, { do: 'pay', card: 'pm_card_chargeCustomerFail' })).toMatchObject({ status: 402 });
  expect(await stripe.invoices.retrieve(draft.id)).toMatchObject({ status: 'open', attempt_count: 1 });
  await send(page, { do: 'pay', card: 'pm_card_visa' });
  expect(await stripe.invoices.retrieve(draft.id)).toMatchObject({ status: 'paid', amount_paid: 1250 });
  const pdf = await fetch(open.invoice_pdf ?? '');
  expect(pdf.headers.get('content-type')).toBe('application/pdf');
  expect(await pdf.text()).toMatch(/^%PDF-1\.4[\s\S]*Total \$12\.50[\s\S]*%%EOF\n$/);
});
