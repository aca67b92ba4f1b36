import { afterAll, beforeAll, expect, test } from 'vitest';

import { dataOf, refusal } from '../support/answers.js';
import { Live } from '../support/live.js';
import { tokenInRole } from '../support/roles.js';
import { until } from '../support/world.js';
import {
  change,
  customerOf,
  giveCard,
  proTenant,
  startBillingPanel,
  subscriptionFields,
  subscriptionOf,
  type BillingPanel,
  type SubscriptionView,
} from './support/billing-panel.js';

let panel: BillingPanel;
beforeAll(async () => {
  panel = await startBillingPanel();
});
afterAll(async () => panel.stop());

test('a new tenant is on Free, which REST shows as the contract says', async () => {
  const tenant = await panel.world.tenant();
  const { status, body } = await tenant.rest('/api/billing/subscription');
  expect({ status, body }).toEqual({
    status: 200,
    body: {
      plan: 'free',
      status: 'active',
      instance_limit: 3,
      instances_used: 0,
      features: ['fleet-management'],
      billing_cycle: 'monthly',
      next_invoice_date: null,
    },
  });
});

test('packages and usage have the shapes of the contract, and use is what fleet and identity count now', async () => {
  const tenant = await panel.world.tenant();
  const node = await tenant.node();
  await node.beat({ storage_used_gb: 2.34 });
  const packages = await tenant.rest<Record<string, unknown>[]>('/api/billing/packages');
  expect(packages.body[1]).toEqual({
    id: 'pro',
    name: 'Pro',
    description: expect.any(String),
    price_monthly: 4900,
    price_yearly: 49000,
    currency: 'usd',
    instance_limit: 25,
    user_limit: 50,
    storage_gb_limit: 500,
    features: ['fleet-management', 'ha-clustering', 'governance', 'priority-support'],
  });
  expect(packages.body.map((each) => [each['id'], each['price_monthly'], each['instance_limit']])).toEqual([
    ['free', 0, 3],
    ['pro', 4900, 25],
    ['enterprise', null, null],
  ]);
  const usage = await tenant.rest('/api/billing/usage');
  expect(usage.body).toEqual({
    nodes: { used: 1, limit: 3 },
    users: { used: 1, limit: 3 },
    storage_gb: { used: 2.3, limit: 10 },
  });
});

test('one query joins subscription, usage, instances and tenant', async () => {
  const tenant = await panel.world.tenant('Joined');
  await tenant.node('joined-01');
  const answer = await tenant.graphql(
    `{ tenant { name subscription { plan instancesUsed } usage { nodes { used limit } users { used } } }
       subscription { instancesUsed instanceLimit }
       instances { nodes { name } } }`,
  );
  expect(dataOf(answer)).toEqual({
    tenant: {
      name: 'Joined',
      subscription: { plan: 'FREE', instancesUsed: 1 },
      usage: { nodes: { used: 1, limit: 3 }, users: { used: 1 } },
    },
    subscription: { instancesUsed: 1, instanceLimit: 3 },
    instances: { nodes: [{ name: 'joined-01' }] },
  });
});

test('a plan that costs money needs a payment method', async () => {
  const tenant = await panel.world.tenant();
  const answer = await tenant.rest('/api/billing/subscription', { method: 'PUT', body: { plan: 'pro' } });
  expect({ status: answer.status, body: answer.body }).toEqual({
    status: 409,
    body: { error: 'There is no payment method yet: createCheckoutSession takes one', details: undefined },
  });
});

test('a tenant with a card subscribes over REST; the plan is in force at once, and everywhere within moments', async () => {
  const tenant = await panel.world.tenant();
  const customer = await giveCard(panel, tenant);
  const { status, body } = await tenant.rest('/api/billing/subscription', {
    method: 'PUT',
    body: { plan: 'pro', billing_cycle: 'monthly' },
  });
  expect({ status, body }).toEqual({
    status: 200,
    body: {
      plan: 'pro',
      status: 'active',
      instance_limit: 25,
      instances_used: 0,
      features: ['fleet-management', 'ha-clustering', 'governance', 'priority-support'],
      billing_cycle: 'monthly',
      next_invoice_date: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
    },
  });
  await until(async () => (await tenant.instanceLimit()) === 25, 'the plan to reach fleet');
  const { data } = await panel.sdk.invoices.list({ customer });
  expect(data.map(({ amount_paid, status: paid }) => [amount_paid, paid])).toEqual([[4900, 'paid']]);
});

test('an upgrade costs what its preview said, at once', async () => {
  const tenant = await proTenant(panel);
  const preview = await tenant.graphql<{
    previewPlanChange: Record<string, unknown> & { amountDue: number };
  }>(
    `query($input: PreviewPlanChangeInput!) { previewPlanChange(input: $input) {
       effect amountDue currency lines { amount isProration } problems { limit } } }`,
    { input: { plan: 'PRO', billingCycle: 'YEARLY' } },
  );
  const { previewPlanChange } = dataOf(preview);
  expect(previewPlanChange).toMatchObject({ effect: 'AT_ONCE', currency: 'usd', problems: [] });
  expect(previewPlanChange.amountDue).toBe(49_000 - 4_900);
  const changed = dataOf(await change(tenant, { plan: 'PRO', billingCycle: 'YEARLY' })).changeSubscription;
  expect(changed).toMatchObject({ plan: 'PRO', billingCycle: 'YEARLY', status: 'ACTIVE' });
  const { data } = await panel.sdk.invoices.list({ customer: tenant.customer });
  expect(data.map(({ amount_paid }) => amount_paid)).toEqual([previewPlanChange.amountDue, 4900]);
});

test('a tenant that has another name is called so at Stripe too', async () => {
  const tenant = await proTenant(panel);
  const customer = await customerOf(panel, tenant);
  dataOf(await tenant.graphql('mutation { updateTenant(input: { name: "Acme Ltd" }) { id } }'));
  const calledThere = async () => panel.sdk.customers.retrieve(customer);
  await expect.poll(calledThere, { timeout: 20_000 }).toMatchObject({ name: 'Acme Ltd' });
});

test('a downgrade below what is used is refused with each limit and use, and nothing changes', async () => {
  const tenant = await proTenant(panel);
  const token = await tenant.enrollmentToken();
  for (let index = 0; index < 8; index += 1)
    await panel.world.rest('/api/agent/enroll', {
      body: { token, name: `n${index}`, hostname: `n${index}.example.com`, version: '0.2.9' },
    });
  await until(async () => {
    const [row] = await panel.sql<{ used: number }>(
      `select used from billing.usage_level where tenant_id = $1 and metric = 'instances'`,
      [tenant.id],
    );
    return row?.used === 8;
  }, 'billing to know of eight nodes');
  const answer = await tenant.rest('/api/billing/subscription', { method: 'PUT', body: { plan: 'free' } });
  expect({ status: answer.status, body: answer.body }).toEqual({
    status: 409,
    body: {
      error: 'The plan free allows 3 instances, and 8 are in use',
      details: { instances: { used: 8, limit: 3 } },
    },
  });
  expect(refusal(await change(tenant, { plan: 'FREE' }))).toMatchObject({
    code: 'CONFLICT',
    reason: 'LIMITS_EXCEEDED',
  });
  expect(await subscriptionOf(tenant)).toMatchObject({ plan: 'PRO', cancelAt: null, instancesUsed: 8 });
});

test('a downgrade waits for the end of the period, and can be taken back until then', async () => {
  const tenant = await proTenant(panel);
  const { periodEnd } = await subscriptionOf(tenant);
  const changed = dataOf(await change(tenant, { plan: 'FREE' })).changeSubscription;
  expect(changed).toMatchObject({
    plan: 'PRO',
    status: 'ACTIVE',
    cancelAt: periodEnd,
    nextInvoiceDate: null,
    scheduledChange: { plan: 'FREE', at: periodEnd },
  });
  const resumed = dataOf(
    await tenant.graphql<{ resumeSubscription: SubscriptionView }>(
      `mutation { resumeSubscription { ${subscriptionFields} } }`,
    ),
  ).resumeSubscription;
  expect(resumed).toMatchObject({
    plan: 'PRO',
    cancelAt: null,
    scheduledChange: null,
    nextInvoiceDate: periodEnd,
  });
});

test('from yearly to monthly waits for the end of the year', async () => {
  const tenant = await proTenant(panel, 'YEARLY');
  const { periodEnd } = await subscriptionOf(tenant);
  const changed = dataOf(await change(tenant, { plan: 'PRO', billingCycle: 'MONTHLY' })).changeSubscription;
  expect(changed).toMatchObject({
    plan: 'PRO',
    billingCycle: 'YEARLY',
    cancelAt: null,
    scheduledChange: { plan: 'PRO', billingCycle: 'MONTHLY', at: periodEnd },
  });
  const { data } = await panel.sdk.invoices.list({ customer: tenant.customer });
  expect(data.map(({ amount_paid }) => amount_paid)).toEqual([49_000]);
});

test('cancelling twice is one cancellation, and there is nothing to cancel on Free', async () => {
  const tenant = await proTenant(panel);
  const cancel = async () =>
    tenant.graphql<{ cancelSubscription: { cancelAt: string | null } }>(
      'mutation { cancelSubscription { cancelAt } }',
    );
  const [first, second] = [dataOf(await cancel()), dataOf(await cancel())];
  expect(first.cancelSubscription.cancelAt).not.toBeNull();
  expect(second).toEqual(first);
  const free = await panel.world.tenant();
  expect(refusal(await free.graphql('mutation { cancelSubscription { plan } }'))).toEqual({
    code: 'CONFLICT',
    reason: 'NO_SUBSCRIPTION',
  });
});

test('a plan that an operator grants shows as that, and leaves the subscription alone', async () => {
  const tenant = await panel.world.tenant();
  await tenant.grantPlan('ENTERPRISE');
  await until(async () => (await subscriptionOf(tenant)).plan === 'ENTERPRISE', 'the grant to reach billing');
  expect(await subscriptionOf(tenant)).toMatchObject({
    planSource: 'GRANT',
    instanceLimit: null,
    status: 'ACTIVE',
  });
  expect(refusal(await tenant.graphql('mutation { cancelSubscription { plan } }'))).toMatchObject({
    reason: 'NO_SUBSCRIPTION',
  });
});

test('whoever listens hears of a change when it is made, with fields of other areas', async () => {
  const tenant = await panel.world.tenant();
  await giveCard(panel, tenant);
  await using live = new Live<{ subscriptionChanged: SubscriptionView }>(
    panel.panel.url,
    tenant.token,
    'subscription { subscriptionChanged { plan status instancesUsed } }',
  );
  await live.opened();
  dataOf(await change(tenant, { plan: 'PRO' }));
  const [first] = await live.received(1);
  expect(first?.data).toEqual({ subscriptionChanged: { plan: 'PRO', status: 'ACTIVE', instancesUsed: 0 } });
});

test('the same key does a change once, and another change under it is refused', async () => {
  const tenant = await panel.world.tenant();
  const customer = await giveCard(panel, tenant);
  const put = async (body: unknown) =>
    tenant.rest('/api/billing/subscription', { method: 'PUT', body, headers: { 'idempotency-key': 'once' } });
  const answers = await Promise.all([put({ plan: 'pro' }), put({ plan: 'pro' })]);
  const again = await put({ plan: 'pro' });
  expect([...answers, again].map(({ status }) => status)).toEqual([200, 200, 200]);
  expect(again.body).toEqual(answers[0]!.body);
  expect((await put({ plan: 'free' })).status).toBe(422);
  expect((await panel.sdk.invoices.list({ customer })).data).toHaveLength(1);
});

test('a plan that is none, one by contract, and one of another tenant are refused by name', async () => {
  const tenant = await panel.world.tenant();
  const unknown = await tenant.rest('/api/billing/subscription', { method: 'PUT', body: { plan: 'gold' } });
  expect([unknown.status, JSON.stringify(unknown.body)]).toEqual([422, expect.stringContaining('plan')]);
  expect(refusal(await change(tenant, { plan: 'ENTERPRISE' }))).toEqual({
    code: 'CONFLICT',
    reason: 'BY_CONTRACT',
  });
  const viewer = await tokenInRole(panel, tenant, 'OPERATOR');
  const forbidden = await panel.world.rest('/api/billing/subscription', {
    method: 'PUT',
    token: viewer,
    body: { plan: 'pro' },
  });
  expect(forbidden.status).toBe(403);
});

test('amounts, currencies, coupons and customers are nobody’s to name; what is wrong is refused by its name, and nothing is half-done', async () => {
  const tenant = await panel.world.tenant();
  const other = await customerOf(panel, await panel.world.tenant());
  const customer = await giveCard(panel, tenant);
  const bad: [Record<string, unknown>, number, string][] = [
    [{ plan: 'gold' }, 422, 'plan'],
    [{ plan: 'pro', billing_cycle: 'weekly' }, 422, 'billing_cycle'],
    [{ plan: 'pro', amount: -4_900 }, 422, 'amount'],
    [{ plan: 'pro', currency: 'eur' }, 422, 'currency'],
    [{ plan: 'pro', coupon: 'all-for-nothing' }, 422, 'coupon'],
    [{ plan: 'pro', customer: other }, 422, 'customer'],
    [{ plan: 7 }, 400, 'plan'],
    [{}, 422, 'plan'],
  ];
  const answers = [];
  for (const [body, , field] of bad) {
    const { status, body: told } = await tenant.rest('/api/billing/subscription', { method: 'PUT', body });
    answers.push([body, status, JSON.stringify(told).includes(`${field}`) ? field : told]);
  }
  expect(answers).toEqual(bad);
  expect((await panel.sdk.subscriptions.list({ customer, status: 'all' })).data).toEqual([]);
  expect((await panel.sdk.invoices.list({ customer })).data).toEqual([]);
  expect(await panel.sql('select 1 from billing.intent where tenant_id = $1', [tenant.id])).toEqual([]);
});
