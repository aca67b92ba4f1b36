import { afterAll, beforeAll, expect, test } from 'vitest';

import { Mailbox } from '../identity/support/mailbox.js';
import { until, type Tenant } from '../support/world.js';
import {
  applied,
  dayMs,
  giveCard,
  pass,
  proTenant,
  signedIn,
  startBillingPanel,
  subscriptionOf,
  type BillingPanel,
} from './support/billing-panel.js';

let mailbox: Mailbox;
let panel: BillingPanel;
beforeAll(async () => {
  mailbox = await Mailbox.start();
  panel = await startBillingPanel({
    billing: { retryAfterDays: [5, 5, 6], whenRetriesFail: 'mark_unpaid' },
    settings: { SMTP_URL: mailbox.url },
  });
});
afterAll(async () => {
  await panel.stop();
  await mailbox[Symbol.asyncDispose]();
});

const subjectsTo = (tenant: Tenant) =>
  mailbox.mails.filter(({ to }) => to === tenant.account.email).map(({ subject }) => subject);

/** A month in which nothing is due but what Stripe does. */
async function month(): Promise<void> {
  await panel.clock.leap(31 * dayMs);
  panel.stripe.settle();
  await applied(panel);
}

test('a year of billing passes in seconds: renewals, a failure, the ladder, payment, and the end', async () => {
  const subscribed = await proTenant(panel);
  const { customer } = subscribed;
  const view = async () => subscriptionOf(await signedIn(panel, subscribed));
  const began = performance.now();
  for (let index = 0; index < 5; index += 1) await month();
  expect(await view()).toMatchObject({
    plan: 'PRO',
    status: 'ACTIVE',
    overduePayment: null,
    isReadOnly: false,
  });

  // The card stops working: the next renewal fails.
  await giveCard(panel, subscribed, 'pm_card_chargeCustomerFail');
  await month();
  expect(await view()).toMatchObject({
    plan: 'PRO',
    status: 'PAST_DUE',
    isReadOnly: false,
    overduePayment: { amountDue: 4900, readOnlyAt: expect.any(String) },
  });
  await pass(panel, 17 * dayMs);
  await until(async () => (await view()).isReadOnly, 'the end of the grace');
  // Nothing can be added, and what is there stays.
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
  expect(await view()).toMatchObject({
    plan: 'PRO',
    status: 'ACTIVE',
    isReadOnly: false,
    overduePayment: null,
  });
  for (let index = 0; index < 5; index += 1) await month();

  await (await signedIn(panel, subscribed)).graphql('mutation { cancelSubscription { plan } }');
  await month();
  expect(await view()).toMatchObject({ plan: 'FREE', status: 'CANCELED', nextInvoiceDate: null });
  const seconds = (performance.now() - began) / 1000;
  const { data } = await panel.sdk.invoices.list({ customer, limit: 100 });
  const paid = data.filter(({ status }) => status === 'paid').map(({ amount_paid }) => amount_paid);
  expect(paid.length).toBeGreaterThanOrEqual(11);
  expect(new Set(paid)).toEqual(new Set([4900]));
  expect(seconds).toBeLessThan(20);
}, 120_000);

test('each step of the ladder is mailed once to whoever pays, the last one when nothing can be added', async () => {
  const tenant = await (await proTenant(panel)).grantPlan('ENTERPRISE');
  const branding = await tenant.rest('/api/msp/branding', {
    method: 'PUT',
    body: { company_name: 'CloudHost Pro', support_email: 'help@cloudhost.example' },
  });
  expect(branding.status).toBe(200);
  await giveCard(panel, tenant, 'pm_card_chargeCustomerFail');
  await month();
  for (let index = 0; index < 16; index += 1) await pass(panel, dayMs);
  await until(async () => subjectsTo(tenant).includes('Your subscription is restricted'), 'the last mail');
  expect(subjectsTo(tenant)).toEqual([
    'Confirm your e-mail address',
    'A payment failed',
    'A payment is overdue',
    'A payment is overdue',
    'Your subscription is about to be restricted',
    'Your subscription is restricted',
  ]);
  // In its own name, as all mail that it causes is while its plan includes that.
  const { headers, text } = await mailbox.receive(tenant.account.email, /is restricted/);
  expect(headers).toMatch(/^From: "?CloudHost Pro"? </m);
  expect(headers).toMatch(/^Reply-To: help@cloudhost\.example/m);
  expect(text).toContain('CloudHost Pro\r\nQuestions? help@cloudhost.example');
}, 120_000);
