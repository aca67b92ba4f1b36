import { setTimeout as sleep } from 'node:timers/promises';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { dataOf, refusal } from '../support/answers.js';
import { until } from '../support/world.js';
import {
  applied,
  change,
  checkout,
  customerOf,
  dayMs,
  giveCard,
  liveOf,
  openPages,
  pass,
  payOn,
  proTenant,
  signedIn,
  startBillingPanel,
  subscriptionOf,
  type BillingPanel,
} from './support/billing-panel.js';
import { changesIn } from './support/partners.js';

let panel: BillingPanel;
beforeAll(async () => {
  panel = await startBillingPanel();
});
afterAll(async () => panel.stop());

test('a checkout refuses what is wrong by field, and once paid the plan is in force', async () => {
  const tenant = await panel.world.tenant();
  expect(refusal(await checkout(tenant, { plan: 'FREE' }))).toMatchObject({
    code: 'VALIDATION_FAILED',
    details: { 'input.plan': expect.any(String) },
  });
  expect(refusal(await checkout(tenant, { plan: 'PRO', coupon: 'no-such-coupon' }))).toMatchObject({
    code: 'VALIDATION_FAILED',
    details: { 'input.coupon': 'There is no such coupon, or it has ended' },
  });
  const trial = async () => (await tenant.graphql('{ subscription { isTrialAvailable } }')).data;
  expect(await trial()).toEqual({ subscription: { isTrialAvailable: true } });
  const { url } = dataOf(await checkout(tenant, { plan: 'PRO', withTrial: true })).createCheckoutSession;
  const page = await fetch(url);
  expect(page.status).toBe(200);
  await payOn(url);
  await applied(panel);
  await until(async () => (await subscriptionOf(tenant)).plan === 'PRO', 'the plan that was bought');
  expect(await subscriptionOf(tenant)).toMatchObject({ status: 'TRIALING', trialEnd: expect.any(String) });
  expect(await trial()).toEqual({ subscription: { isTrialAvailable: false } });
});

test('a key is as good as new after a day: the subscription is ended once more', async () => {
  const tenant = await proTenant(panel);
  const run = async (mutation: string, key: string): Promise<string | null> => {
    const answer = await (
      await signedIn(panel, tenant)
    ).graphql<Record<string, { cancelAt: string | null }>>(
      `mutation { ${mutation}(input: { idempotencyKey: "${key}" }) { cancelAt } }`,
    );
    return dataOf(answer)[mutation]!.cancelAt;
  };
  const end = await run('cancelSubscription', 'end');
  expect(end).not.toBeNull();
  await pass(panel, dayMs);
  expect(await run('resumeSubscription', 'on')).toBeNull();
  expect(await run('resumeSubscription', 'on')).toBeNull();
  await pass(panel, dayMs / 24);
  expect(await run('cancelSubscription', 'end')).toBe(end);
}, 60_000);

test('whoever’s customer was deleted at Stripe buys again, as another one', async () => {
  const tenant = await proTenant(panel);
  await applied(panel);
  await panel.sdk.customers.del(tenant.customer);
  await applied(panel);
  await until(async () => (await subscriptionOf(tenant)).plan === 'FREE', 'the end of the subscription');
  await payOn(dataOf(await checkout(tenant)).createCheckoutSession.url);
  await applied(panel);
  await until(async () => (await subscriptionOf(tenant)).plan === 'PRO', 'the plan that was bought');
  const customer = await customerOf(panel, tenant);
  expect(customer).not.toBe(tenant.customer);
  expect(await liveOf(panel, customer)).toHaveLength(1);
}, 60_000);

test('the coupon of a partner’s tier is given to nobody who names it', async () => {
  const tenant = await panel.world.tenant();
  await panel.sdk.coupons.retrieve('quazzar_partner_gold_20');
  expect(refusal(await checkout(tenant, { coupon: ' quazzar_partner_gold_20 ' }))).toMatchObject({
    code: 'VALIDATION_FAILED',
    details: { 'input.coupon': 'There is no such coupon, or it has ended' },
  });
  expect(await openPages(panel, tenant)).toEqual([]);
});

test('of all pages of a tenant the newest can be paid on, and none once it has subscribed without', async () => {
  const tenant = await panel.world.tenant();
  const first = dataOf(await checkout(tenant)).createCheckoutSession.url;
  expect(await openPages(panel, tenant)).toEqual([first]);
  const second = dataOf(await checkout(tenant)).createCheckoutSession.url;
  expect(second).not.toBe(first);
  expect(await openPages(panel, tenant)).toEqual([second]);
  const customer = await giveCard(panel, tenant);
  dataOf(await change(tenant, { plan: 'PRO' }));
  expect(await openPages(panel, tenant)).toEqual([]);
  expect(await liveOf(panel, customer)).toHaveLength(1);
});

test('a page that was paid on meanwhile ends what would be a second subscription', async () => {
  const tenant = await panel.world.tenant();
  const customer = await giveCard(panel, tenant);
  const { url } = dataOf(await checkout(tenant)).createCheckoutSession;
  panel.stripe.addFault({
    kind: 'delay_before',
    method: 'POST',
    path: '/v1/checkout/sessions/',
    delayMs: 1_500,
  });
  const answer = change(tenant, { plan: 'PRO' });
  await until(async () => {
    const waiting = await fetch(`${panel.stripe.url}/_sandbox/faults`);
    return ((await waiting.json()) as { faults: unknown[] }).faults.length === 0;
  }, 'the panel to close the page');
  await payOn(url);
  expect(refusal(await answer)).toEqual({ code: 'CONFLICT', reason: 'ALREADY_SUBSCRIBED' });
  await applied(panel);
  expect(await liveOf(panel, customer)).toHaveLength(1);
  expect((await subscriptionOf(tenant)).plan).toBe('PRO');
});

test('of two subscriptions that live the newest is kept, and what was paid for the other is a credit', async () => {
  const tenant = await proTenant(panel);
  const { customer } = tenant;
  const [older] = await liveOf(panel, customer);
  await panel.clock.advance(2_000);
  const { data } = await panel.sdk.prices.list({ lookup_keys: ['quazzar_pro_yearly'] });
  const newer = await panel.sdk.subscriptions.create({ customer, items: [{ price: data[0]!.id }] });
  await applied(panel);
  await until(async () => (await liveOf(panel, customer)).length === 1, 'one subscription to be left');
  expect(await liveOf(panel, customer)).toEqual([newer.id]);
  expect(await subscriptionOf(tenant)).toMatchObject({
    plan: 'PRO',
    billingCycle: 'YEARLY',
    status: 'ACTIVE',
  });
  const credited = await panel.sdk.customers.retrieve(customer);
  expect(credited).toMatchObject({ balance: -4900 });
  expect(await changesIn(panel, tenant, 'endSurplusSubscription')).toEqual([
    { actor: 'svc:billing', changes: { kept: newer.id } },
  ]);
  expect(older).not.toBe(newer.id);
});

test('a key that is repeated answers the same page, and with another body is refused by its name', async () => {
  const tenant = await panel.world.tenant();
  const idempotencyKey = 'page-1';
  const first = dataOf(await checkout(tenant, { idempotencyKey })).createCheckoutSession;
  expect(dataOf(await checkout(tenant, { idempotencyKey })).createCheckoutSession).toEqual(first);
  expect(await openPages(panel, tenant)).toEqual([first.url]);
  const other = await checkout(tenant, { idempotencyKey, billingCycle: 'YEARLY' });
  expect(refusal(other)).toMatchObject({ code: 'VALIDATION_FAILED', reason: 'IDEMPOTENCY_KEY_REUSED' });
  expect(await openPages(panel, tenant)).toEqual([first.url]);
});

interface RestInvoice {
  id: string;
  date: string;
  period_start: string;
  period_end: string;
  amount_due: number;
  currency: string;
  status: string;
  pdf_url: string;
}

const clearFaults = async () => fetch(`${panel.stripe.url}/_sandbox/faults`, { method: 'DELETE' });

test('invoices are those of Stripe, newest first, in the shape of the contract', async () => {
  const before = await proTenant(panel);
  await pass(panel, 32 * dayMs);
  const tenant = await signedIn(panel, before);
  const { status, body, headers } = await tenant.rest<RestInvoice[]>('/api/billing/invoices');
  expect(status).toBe(200);
  expect(body).toHaveLength(2);
  expect(body[1]).toEqual({
    id: expect.stringMatching(/^in_/),
    date: expect.stringMatching(/Z$/),
    period_start: expect.stringMatching(/Z$/),
    period_end: expect.stringMatching(/Z$/),
    amount_due: 4900,
    currency: 'usd',
    status: 'paid',
    pdf_url: expect.stringMatching(/^http/),
  });
  const [newest, first] = body;
  expect(newest!.date > first!.date).toBe(true);
  // The end of one is the second before the beginning of the next.
  expect(new Date(newest!.period_start).getTime() - new Date(first!.period_end).getTime()).toBe(1_000);
  expect([headers.get('age'), headers.get('warning')]).toEqual(['0', null]);
});

test('Stripe is asked once a minute at most, also by many at once', async () => {
  const tenant = await proTenant(panel);
  panel.stripe.addFault({ kind: 'delay', method: 'GET', path: '/v1/invoices', delayMs: 300 });
  // Were it asked again, that would be refused.
  panel.stripe.addFault({ kind: 'error', method: 'GET', path: '/v1/invoices', status: 500, next: 20 });
  const answers = await Promise.all(
    Array.from({ length: 10 }, () => tenant.rest<RestInvoice[]>('/api/billing/invoices')),
  );
  expect(answers.map(({ status, body }) => [status, body.length])).toEqual(answers.map(() => [200, 1]));
  await panel.clock.advance(59_000);
  const later = await tenant.rest('/api/billing/invoices');
  expect([later.status, later.headers.get('age'), later.headers.get('warning')]).toEqual([200, '59', null]);
  await clearFaults();
});

test('while Stripe is away they are shown as they were, with their age and a warning', async () => {
  const tenant = await proTenant(panel);
  await tenant.rest('/api/billing/invoices');
  panel.stripe.addFault({ kind: 'error', method: 'GET', path: '/v1/invoices', status: 503, next: 50 });
  await panel.clock.advance(90_000);
  const { status, body, headers } = await tenant.rest<RestInvoice[]>('/api/billing/invoices');
  expect([status, body.length, headers.get('age'), headers.get('warning')]).toEqual([
    200,
    1,
    '90',
    '110 - "Response is Stale"',
  ]);
  const another = await panel.world.tenant();
  await customerOf(panel, another);
  const never = await another.rest('/api/billing/invoices');
  expect([never.status, never.headers.has('retry-after')]).toEqual([503, true]);
  await clearFaults();
  // Nobody waits for it again at once.
  const next = await tenant.rest('/api/billing/invoices');
  expect(next.headers.has('warning')).toBe(true);
  await panel.clock.advance(30_000);
  const back = await tenant.rest('/api/billing/invoices');
  expect([back.headers.get('age'), back.headers.get('warning')]).toEqual(['0', null]);
});

test('while Stripe is silent they are shown as they were within seconds, and then at once', async () => {
  const tenant = await proTenant(panel);
  await tenant.rest('/api/billing/invoices');
  panel.stripe.addFault({ kind: 'delay_before', method: 'GET', path: '/v1/invoices', delayMs: 60_000 });
  await panel.clock.advance(90_000);
  const stale = async () => {
    const { status, body, headers } = await tenant.rest<RestInvoice[]>('/api/billing/invoices');
    return [status, body.length, headers.has('warning')];
  };
  // A gateway would answer UNAVAILABLE in the place of a subgraph that takes 10 s.
  await Promise.race([
    expect(stale()).resolves.toEqual([200, 1, true]),
    sleep(9_000, undefined, { ref: false }).then(() => expect.unreachable('it waited for Stripe')),
  ]);
  // Were it asked again, that would wait as well.
  panel.stripe.addFault({ kind: 'delay_before', method: 'GET', path: '/v1/invoices', delayMs: 60_000 });
  await expect(stale()).resolves.toEqual([200, 1, true]);
  await clearFaults();
  await panel.clock.advance(30_000);
});

test('an invoice tells what credit notes have taken off it, before it was paid and after', async () => {
  const tenant = await proTenant(panel);
  const { customer } = tenant;
  const [first] = (await panel.sdk.invoices.list({ customer })).data;
  await panel.sdk.creditNotes.create({
    invoice: first!.id,
    amount: 900,
    refund_amount: 500,
    credit_amount: 400,
  });
  await panel.sdk.invoiceItems.create({ customer, amount: 1_000, currency: 'usd' });
  const { id } = await panel.sdk.invoices.create({
    customer,
    auto_advance: false,
    pending_invoice_items_behavior: 'include',
  });
  await panel.sdk.invoices.finalizeInvoice(id);
  await panel.sdk.creditNotes.create({ invoice: id, amount: 100 });
  const { invoices } = dataOf(
    await tenant.graphql<{ invoices: { nodes: unknown[] } }>(
      '{ invoices { nodes { status amountDue amountCredited } } }',
    ),
  );
  // Of the open one the credit that the customer has is taken too.
  expect(invoices.nodes).toEqual([
    { status: 'OPEN', amountDue: 500, amountCredited: 0 },
    { status: 'PAID', amountDue: 4_900, amountCredited: 900 },
  ]);
});

test('a tenant without a customer has none, and Stripe is not asked; pages hold', async () => {
  const free = await panel.world.tenant();
  expect((await free.rest('/api/billing/invoices')).body).toEqual([]);
  const before = await proTenant(panel);
  await pass(panel, 32 * dayMs);
  const tenant = await signedIn(panel, before);
  const first = await tenant.rest<RestInvoice[]>('/api/billing/invoices?limit=1');
  expect([first.body.length, first.headers.get('x-total-count')]).toEqual([1, '2']);
  const next = /<([^>]+)>/.exec(first.headers.get('link') ?? '')?.[1] ?? '';
  const second = await tenant.rest<RestInvoice[]>(next);
  expect(second.body.map(({ id }) => id)).not.toEqual(first.body.map(({ id }) => id));
});
