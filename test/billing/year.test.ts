import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { soon } from '../fleet/alerts/support/panel.js';
import { Mailbox } from '../identity/support/mailbox.js';
import { dataOf } from '../support/answers.js';
import { until, type Tenant } from '../support/world.js';
import {
  applied,
  change,
  dayMs,
  giveCard,
  proTenant,
  signedIn,
  startBillingPanel,
  subscriptionOf,
  type BillingPanel,
} from './support/billing-panel.js';
import { advance, clockOf, timeOf } from './support/test-clock.js';

let mailbox: Mailbox;
let panel: BillingPanel;
beforeAll(async () => {
  mailbox = await Mailbox.start();
  panel = await startBillingPanel({
    billing: { retryAfterDays: [5, 5, 6], whenRetriesFail: 'mark_unpaid' },
    settings: { SMTP_URL: mailbox.url, TEST_CLOCKS: 'true' },
  });
});
afterAll(async () => {
  await panel.stop();
  await mailbox[Symbol.asyncDispose]();
});

const subjectsTo = (tenant: Tenant) =>
  mailbox.mails.filter(({ to }) => to === tenant.account.email).map(({ subject }) => subject);

async function invoicesOf(customer: string): Promise<{ status: string | null; amount: number }[]> {
  const { data } = await panel.sdk.invoices.list({ customer, limit: 100 });
  return data.map(({ status, amount_paid: amount }) => ({ status, amount }));
}

describe('a year of billing', () => {
  test('has its renewals, a failure, the ladder, a payment, and the end', async () => {
    const subscribed = await proTenant(panel);
    const beside = await proTenant(panel);
    const { customer } = subscribed;
    const before = await subscriptionOf(beside);

    await advance(panel, subscribed, 150 * dayMs);
    expect(await subscriptionOf(subscribed)).toMatchObject({
      plan: 'PRO',
      status: 'ACTIVE',
      isReadOnly: false,
      overduePayment: null,
    });
    expect(await invoicesOf(customer)).toEqual(
      Array.from({ length: 5 }, () => ({ status: 'paid', amount: 4900 })),
    );

    // The card stops working: the next renewal fails, and its grace runs out.
    await giveCard(panel, subscribed, 'pm_card_chargeCustomerFail');
    await advance(panel, subscribed, 5 * dayMs);
    expect(await subscriptionOf(subscribed)).toMatchObject({
      plan: 'PRO',
      status: 'PAST_DUE',
      isReadOnly: false,
      overduePayment: { amountDue: 4900, readOnlyAt: expect.any(String) },
    });
    await advance(panel, subscribed, 16 * dayMs);
    expect(await subscriptionOf(subscribed)).toMatchObject({ isReadOnly: true });
    const late = await signedIn(panel, subscribed);
    await until(async () => {
      const [row] = await panel.sql<{ is_read_only: boolean }>(
        'select is_read_only from fleet.entitlement where tenant_id = $1',
        [subscribed.id],
      );
      return row?.is_read_only === true;
    }, 'fleet to know of it');
    const refused = await panel.world.rest('/api/agent/enroll', {
      body: {
        token: await late.enrollmentToken(),
        name: 'late',
        hostname: 'late.example.com',
        version: '0.2.9',
      },
    });
    expect([refused.status, refused.body]).toEqual([
      409,
      { error: 'A payment is overdue: nothing can be added until it is made' },
    ]);

    // A card that works: what is open is paid, and all is as before.
    await giveCard(panel, subscribed);
    for await (const invoice of panel.sdk.invoices.list({ customer, status: 'open' }))
      await panel.sdk.invoices.pay(invoice.id);
    await applied(panel);
    expect(await subscriptionOf(subscribed)).toMatchObject({
      plan: 'PRO',
      status: 'ACTIVE',
      isReadOnly: false,
      overduePayment: null,
    });
    await advance(panel, subscribed, 165 * dayMs);
    dataOf(await subscribed.graphql('mutation { cancelSubscription { plan } }'));
    await advance(panel, subscribed, 30 * dayMs);
    expect(await subscriptionOf(subscribed)).toMatchObject({
      plan: 'FREE',
      status: 'CANCELED',
      nextInvoiceDate: null,
    });

    expect(await invoicesOf(customer)).toEqual(
      Array.from({ length: 12 }, () => ({ status: 'paid', amount: 4900 })),
    );
    const ladder = [
      'A payment failed',
      'A payment is overdue',
      'A payment is overdue',
      'Your subscription is about to be restricted',
      'Your subscription is restricted',
    ];
    const told = () => subjectsTo(subscribed).filter((subject) => ladder.includes(subject));
    await until(async () => told().length >= ladder.length, 'the mails of the ladder');
    expect(told()).toEqual(ladder);
    // Nobody else has grown older.
    expect(await subscriptionOf(beside)).toEqual(before);
    expect(await timeOf(beside)).toEqual(panel.clock.now());
  }, 120_000);

  test('may be one call, which stops wherever something is due', async () => {
    const tenant = await proTenant(panel);
    const to = await advance(panel, tenant, 360 * dayMs);
    expect(await clockOf(tenant)).toEqual({
      now: to.toISOString(),
      status: 'READY',
      target: to.toISOString(),
      failure: null,
    });
    expect(await invoicesOf(tenant.customer)).toEqual(
      Array.from({ length: 12 }, () => ({ status: 'paid', amount: 4900 })),
    );
    const { periodEnd } = await subscriptionOf(tenant);
    expect(new Date(periodEnd!).getTime()).toBeGreaterThan(to.getTime());
  }, 60_000);

  test('is told of in the tenant’s own name, as all mail that it causes', async () => {
    const tenant = await (await proTenant(panel)).grantPlan('ENTERPRISE');
    const branding = await tenant.rest('/api/msp/branding', {
      method: 'PUT',
      body: { company_name: 'CloudHost Pro', support_email: 'help@cloudhost.example' },
    });
    expect(branding.status).toBe(200);
    await giveCard(panel, tenant, 'pm_card_chargeCustomerFail');
    await advance(panel, tenant, 50 * dayMs);
    const { headers, text } = await mailbox.receive(tenant.account.email, /is restricted/);
    expect(headers).toMatch(/^From: "?CloudHost Pro"? </m);
    expect(headers).toMatch(/^Reply-To: help@cloudhost\.example/m);
    expect(text).toContain('CloudHost Pro\r\nQuestions? help@cloudhost.example');
  });

  test('has a trial told of before it ends, and becomes a subscription that is paid', async () => {
    const tenant = await panel.world.tenant();
    await giveCard(panel, tenant);
    const { createCheckoutSession } = dataOf(
      await tenant.graphql<{ createCheckoutSession: { url: string } }>(
        'mutation($input: CreateCheckoutSessionInput!) { createCheckoutSession(input: $input) { url } }',
        { input: { plan: 'PRO', withTrial: true } },
      ),
    );
    await fetch(createCheckoutSession.url, {
      method: 'POST',
      body: new URLSearchParams({ do: 'pay', card: 'pm_card_visa' }),
      redirect: 'manual',
    });
    await applied(panel);
    expect(await subscriptionOf(tenant)).toMatchObject({ status: 'TRIALING' });
    await advance(panel, tenant, 60 * dayMs);
    expect(await subscriptionOf(tenant)).toMatchObject({ status: 'ACTIVE', plan: 'PRO' });
    await until(async () => subjectsTo(tenant).includes('Your trial is about to end'), 'the mail');
  });

  test('previews and changes are counted at the time of the tenant', async () => {
    const tenant = await proTenant(panel);
    const to = await advance(panel, tenant, 100 * dayMs);
    const { previewPlanChange } = dataOf(
      await tenant.graphql<{ previewPlanChange: { effectiveAt: string; amountDue: number } }>(
        `query($input: PreviewPlanChangeInput!) { previewPlanChange(input: $input) { effectiveAt amountDue } }`,
        { input: { plan: 'PRO', billingCycle: 'YEARLY' } },
      ),
    );
    expect(new Date(previewPlanChange.effectiveAt).getTime()).toBeGreaterThanOrEqual(to.getTime());
    dataOf(await change(tenant, { plan: 'PRO', billingCycle: 'YEARLY' }));
    const [invoice] = (await panel.sdk.invoices.list({ customer: tenant.customer, limit: 1 })).data;
    expect(invoice?.amount_paid).toBe(previewPlanChange.amountDue);
  });
});

describe('ends of months', () => {
  const go = async (tenant: Tenant, to: string) =>
    advance(panel, tenant, Date.parse(to) - (await timeOf(tenant)).getTime());

  async function subscribedAt(at: string, billingCycle: string): Promise<Tenant & { customer: string }> {
    const tenant = await panel.world.tenant();
    await go(tenant, at);
    const customer = await giveCard(panel, tenant);
    dataOf(await change(tenant, { plan: 'PRO', billingCycle }));
    return Object.assign(tenant, { customer });
  }

  /** What each invoice is for, oldest first, as REST shows it: the end is the last second. */
  async function periodsOf(tenant: Tenant): Promise<string[]> {
    type Shown = { period_start: string; period_end: string; amount_due: number };
    const { body } = await (await signedIn(panel, tenant)).rest<Shown[]>('/api/billing/invoices');
    return body
      .map(({ period_start: from, period_end: to, amount_due: due }) => `${due}: ${from} ${to}`)
      .toReversed();
  }

  test('what begins on the 31st is paid on the last of shorter months, without a gap or a second twice', async () => {
    const tenant = await subscribedAt('2028-01-31T10:00:00Z', 'MONTHLY');
    await go(tenant, '2028-04-02T00:00:00Z');
    expect(await periodsOf(tenant)).toEqual([
      '4900: 2028-01-31T10:00:00Z 2028-02-29T09:59:59Z',
      '4900: 2028-02-29T10:00:00Z 2028-03-31T09:59:59Z',
      '4900: 2028-03-31T10:00:00Z 2028-04-30T09:59:59Z',
    ]);
  });

  test('a year from the 29th of February ends on the 28th, and the smaller plan that waits for it begins then', async () => {
    const tenant = await subscribedAt('2028-02-29T10:00:00Z', 'YEARLY');
    const { scheduledChange } = dataOf(
      await change(tenant, { plan: 'PRO', billingCycle: 'MONTHLY' }),
    ).changeSubscription;
    expect(scheduledChange).toMatchObject({ billingCycle: 'MONTHLY', at: '2029-02-28T10:00:00.000Z' });
    await go(tenant, '2029-03-29T00:00:00Z');
    expect(await periodsOf(tenant)).toEqual([
      '49000: 2028-02-29T10:00:00Z 2029-02-28T09:59:59Z',
      '4900: 2029-02-28T10:00:00Z 2029-03-28T09:59:59Z',
      '4900: 2029-03-28T10:00:00Z 2029-04-28T09:59:59Z',
    ]);
  });

  test('the grace of a payment that fails on the last day of a year is as long as any', async () => {
    const tenant = await subscribedAt('2027-10-31T10:00:00Z', 'MONTHLY');
    await go(tenant, '2027-12-01T00:00:00Z');
    await giveCard(panel, tenant, 'pm_card_chargeCustomerFail');
    await go(tenant, '2027-12-31T12:00:00Z');
    const standing = async () => subscriptionOf(await signedIn(panel, tenant));
    expect(await standing()).toMatchObject({
      status: 'PAST_DUE',
      overduePayment: {
        since: '2027-12-31T10:00:00.000Z',
        amountDue: 4900,
        readOnlyAt: '2028-01-14T10:00:00.000Z',
      },
    });
    await go(tenant, '2028-01-14T09:59:00Z');
    expect((await standing()).isReadOnly).toBe(false);
    await go(tenant, '2028-01-14T10:00:00Z');
    expect((await standing()).isReadOnly).toBe(true);
  });
});

// Last: the panel takes what it slept through for an outage of its own.
describe('time that passes by itself', () => {
  test('a subscription is renewed between calls, as time passes for everybody', async () => {
    const tenant = await proTenant(panel);
    await advance(panel, tenant, 20 * dayMs);
    const { periodEnd } = await subscriptionOf(tenant);
    await panel.clock.leap(12 * dayMs);
    const there = await signedIn(panel, tenant);
    await soon(
      panel,
      async () => (await subscriptionOf(there)).periodEnd !== periodEnd,
      'the subscription to be renewed',
    );
    await until(async () => (await clockOf(there)).status === 'READY', 'the clock to be there');
    expect(await invoicesOf(tenant.customer)).toHaveLength(2);
  });
});
