import { afterAll, beforeAll, expect, test } from 'vitest';

import { until } from '../support/world.js';
import {
  dayMs,
  giveCard,
  pass,
  proTenant,
  startBillingPanel,
  subscriptionOf,
  type BillingPanel,
} from './support/billing-panel.js';

let panel: BillingPanel;
beforeAll(async () => {
  panel = await startBillingPanel({
    billing: { retryAfterDays: [5, 5, 5], whenRetriesFail: 'mark_unpaid' },
  });
});
afterAll(async () => panel.stop());

const noticesOf = async (tenantId: string) =>
  (
    await panel.sql<{ notice: string }>(
      `select payload ->> 'notice' as notice from billing.outbox
       where tenant_id = $1 and topic = 'billing.notice.raised' order by xid, id`,
      [tenantId],
    )
  ).map(({ notice }) => notice);

test('a year of billing passes in seconds: renewals, a failure, the ladder, payment, and the end', async () => {
  const tenant = await proTenant(panel);
  const began = performance.now();
  const statuses: string[] = [];
  const month = async () => {
    await pass(panel, 31 * dayMs);
    const { status } = await subscriptionOf(tenant);
    statuses.push(status);
  };
  for (let index = 0; index < 5; index += 1) await month();
  // The card stops working: the next renewal fails.
  await giveCard(panel, tenant, 'pm_card_chargeCustomerFail');
  const [subscription] = (await panel.sdk.subscriptions.list({ customer: tenant.customer })).data;
  await panel.sdk.subscriptions.update(subscription!.id, { default_payment_method: '' });
  const failing = new Set<string>();
  for (let index = 0; index < 8; index += 1) {
    await pass(panel, 7 * dayMs);
    const { status, isReadOnly, overduePayment } = await subscriptionOf(tenant);
    failing.add(`${status}${isReadOnly ? ' read-only' : ''}${overduePayment ? ' banner' : ''}`);
  }
  expect([...failing]).toEqual(expect.arrayContaining(['PAST_DUE banner', 'UNPAID read-only banner']));
  await until(
    async () => (await noticesOf(tenant.id)).includes('READ_ONLY'),
    'the ladder to be climbed to its end',
  );
  // Nothing can be added, and what is there stays.
  const token = await tenant.rest('/api/fleet/tokens', { body: { name: 'late' } });
  const refused = await panel.world.rest('/api/agent/enroll', {
    body: {
      token: (token.body as { token: string }).token,
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
  await giveCard(panel, tenant);
  for await (const invoice of panel.sdk.invoices.list({ customer: tenant.customer, status: 'open' }))
    await panel.sdk.invoices.pay(invoice.id);
  await pass(panel, dayMs);
  await until(async () => !(await subscriptionOf(tenant)).isReadOnly, 'the payment to lift the restriction');
  for (let index = 0; index < 4; index += 1) await month();
  await tenant.graphql('mutation { cancelSubscription { plan } }');
  await month();
  await month();
  expect(await subscriptionOf(tenant)).toMatchObject({
    plan: 'FREE',
    status: 'CANCELED',
    nextInvoiceDate: null,
  });
  const seconds = (performance.now() - began) / 1000;
  expect(statuses.slice(0, 5)).toEqual(Array.from({ length: 5 }, () => 'ACTIVE'));
  const { data } = await panel.sdk.invoices.list({ customer: tenant.customer, limit: 100 });
  const paid = data.filter(({ status }) => status === 'paid');
  expect(paid.length).toBeGreaterThanOrEqual(10);
  expect(new Set(paid.map(({ amount_paid }) => amount_paid))).toEqual(new Set([4900]));
  expect(await noticesOf(tenant.id)).toContain('SUBSCRIPTION_ENDED');
  expect(seconds).toBeLessThan(20);
}, 120_000);

test('the notices of the ladder are mailed once each, to whoever pays', async () => {
  const tenant = await proTenant(panel);
  await giveCard(panel, tenant, 'pm_card_chargeCustomerFail');
  const [subscription] = (await panel.sdk.subscriptions.list({ customer: tenant.customer })).data;
  await panel.sdk.subscriptions.update(subscription!.id, { default_payment_method: '' });
  await pass(panel, 32 * dayMs);
  for (let index = 0; index < 14; index += 1) await pass(panel, dayMs);
  await pass(panel, dayMs);
  await until(async () => (await noticesOf(tenant.id)).includes('READ_ONLY'), 'the end of the ladder');
  const notices = await noticesOf(tenant.id);
  expect(notices.filter((notice) => notice === 'READ_ONLY')).toHaveLength(1);
  expect(notices[0]).toBe('PAYMENT_FAILED');
  const [mailed] = await panel.sql<{ count: number }>(
    `select count(*)::int as count from jobs.job where name = 'identity.mail.send' and data ->> 'tenantId' = $1`,
    [tenant.id],
  );
  expect(mailed!.count).toBeGreaterThanOrEqual(notices.length);
}, 120_000);
