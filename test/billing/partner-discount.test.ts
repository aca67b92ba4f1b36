import { afterAll, beforeAll, expect, test } from 'vitest';

import { Mailbox } from '../identity/support/mailbox.js';
import { dataOf, refusal } from '../support/answers.js';
import { until } from '../support/world.js';
import {
  applied,
  change,
  startBillingPanel,
  subscriptionOf,
  type BillingPanel,
} from './support/billing-panel.js';
import { couponsOf, looked, partner, untilCoupons } from './support/partner-money.js';
import { changesIn, decide } from './support/partners.js';

const silver = 'quazzar_partner_silver_10';

let mailbox: Mailbox;
let panel: BillingPanel;
beforeAll(async () => {
  mailbox = await Mailbox.start();
  panel = await startBillingPanel({ settings: { SMTP_URL: mailbox.url } });
});
afterAll(async () => {
  await panel.stop();
  await mailbox[Symbol.asyncDispose]();
});

/** How the tenant's jobs that set its discount stand, newest last. */
async function discountJobs(tenantId: string): Promise<{ state: string; attempts: number }[]> {
  return panel.sql(
    `select state::text, retry_count as attempts from jobs.job
     where name = 'billing.partner-discount.apply' and data ->> 'tenantId' = $1 order by created_on`,
    [tenantId],
  );
}

test('a discount waits for a change that is under way, and undoes nothing of it', async () => {
  const { tenant, customer, id } = await partner(panel, 5);
  await untilCoupons(panel, customer, [silver]);
  dataOf(await change(tenant, { plan: 'PRO', billingCycle: 'YEARLY' }));
  await applied(panel);
  const before = (await discountJobs(tenant.id)).length;
  panel.stripe.addFault({
    kind: 'error',
    method: 'POST',
    path: '/v1/subscription_schedules/',
    status: 503,
    next: 100,
  });
  const downgrade = { plan: 'PRO', billingCycle: 'MONTHLY' };
  expect(refusal(await change(tenant, downgrade))).toMatchObject({ code: 'UNAVAILABLE' });
  dataOf(await decide(panel, 'suspendPartner', id));
  await looked(
    panel,
    async () => (await discountJobs(tenant.id)).slice(before).some(({ state }) => state === 'retry'),
    'the discount to be put off',
  );
  expect(await couponsOf(panel, customer)).toEqual([silver]);
  await fetch(`${panel.stripe.url}/_sandbox/faults`, { method: 'DELETE' });
  dataOf(await change(tenant, downgrade));
  await untilCoupons(panel, customer, []);
  expect((await subscriptionOf(tenant)).scheduledChange).toMatchObject({ billingCycle: 'MONTHLY' });
}, 180_000);

test('a schedule that is not ours keeps its phases as they are; each discount is in the trail of its tenant', async () => {
  const { tenant, customer, id } = await partner(panel, 5);
  await untilCoupons(panel, customer, [silver]);
  const { stripe_id: subscription } = (
    await panel.sql<{ stripe_id: string }>(
      'select stripe_id from billing.subscription where tenant_id = $1',
      [tenant.id],
    )
  )[0]!;
  await until(
    async () => ((await changesIn(panel, tenant, 'changePartnerDiscount')) as unknown[]).length === 1,
    'the trail to tell of the discount',
  );
  expect(await changesIn(panel, tenant, 'changePartnerDiscount')).toEqual([
    { actor: 'svc:billing', changes: { from: null, to: silver } },
  ]);
  const made = await panel.sdk.subscriptionSchedules.create({ from_subscription: subscription });
  const phases = async () => (await panel.sdk.subscriptionSchedules.retrieve(made.id)).phases;
  const told = await phases();
  const before = (await discountJobs(tenant.id)).length;
  dataOf(await decide(panel, 'suspendPartner', id));
  await looked(
    panel,
    async () => {
      const jobs = (await discountJobs(tenant.id)).slice(before);
      return jobs.length > 0 && jobs.every(({ state }) => state === 'completed');
    },
    'the discount to be looked at',
  );
  expect(await phases()).toEqual(told);
}, 120_000);

test('a coupon that was deleted at Stripe is made again', async () => {
  const { tenant, customer, id } = await partner(panel, 5);
  await untilCoupons(panel, customer, [silver]);
  dataOf(await decide(panel, 'suspendPartner', id));
  await untilCoupons(panel, customer, []);
  await panel.sdk.coupons.del(silver);
  dataOf(await decide(panel, 'approvePartner', id));
  await untilCoupons(panel, customer, [silver]);
  expect((await subscriptionOf(tenant)).plan).toBe('PRO');
}, 120_000);
