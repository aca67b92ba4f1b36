import { afterAll, beforeAll, expect, test } from 'vitest';

import { create } from '../governance/support/tenant.js';
import { dataOf } from '../support/answers.js';
import { until, type Tenant } from '../support/world.js';
import {
  change,
  customerOf,
  giveCard,
  startBillingPanel,
  subscriptionOf,
  webhookSecret,
  type BillingPanel,
} from './support/billing-panel.js';

const timeout = 240_000;

let panel: BillingPanel;
beforeAll(async () => {
  panel = await startBillingPanel({ mode: 'split' });
}, timeout);
afterAll(async () => panel.stop());

test('with billing in a process of its own webhooks reach it through the gateway, byte for byte', async () => {
  const { sdk } = panel;
  const tenant = await panel.world.tenant();
  const customer = await giveCard(panel, tenant);
  const { data: prices } = await sdk.prices.list({ lookup_keys: ['quazzar_pro_monthly'] });
  await sdk.subscriptions.create({ customer, items: [{ price: prices[0]!.id }] });
  const { data: events } = await sdk.events.list({ type: 'customer.subscription.created', limit: 1 });
  // Spaced as no serializer would: the signature is over the bytes.
  const payload = JSON.stringify(events[0], null, 3);
  const timestamp = Math.floor(panel.clock.now().getTime() / 1000);
  const post = async (body: string) => {
    const response = await fetch(`${panel.panel.url}/webhooks/stripe`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json; charset=utf-8',
        'stripe-signature': sdk.webhooks.generateTestHeaderString({
          payload,
          secret: webhookSecret,
          timestamp,
        }),
      },
      body,
    });
    return [response.status, await response.json()];
  };
  expect(await post(payload.replace('active', 'unpaid').replace(/ +/g, ' '))).toEqual([
    400,
    { error: 'The signature is missing, wrong, or not of now' },
  ]);
  expect((await subscriptionOf(tenant)).plan).toBe('FREE');
  expect(await post(payload)).toEqual([200, { received: true }]);
  await until(async () => (await subscriptionOf(tenant)).plan === 'PRO', 'the subscription to be asked for');
}, 120_000);

test('a key that may change the plan or read it has the whole answer, and a charge is told as made', async () => {
  const tenant = await panel.world.tenant();
  const customer = await giveCard(panel, tenant);
  const keyWith = async (permission: string) => {
    const made = await tenant.graphql<{ createApiKey: { key: string } }>(
      'mutation($input: CreateApiKeyInput!) { createApiKey(input: $input) { key } }',
      { input: { name: 'Finance', currentPassword: 'correct horse battery', permissions: [permission] } },
    );
    return dataOf(made).createApiKey.key;
  };
  const changing = {
    token: await keyWith('billing.subscription.manage'),
    method: 'PUT',
    body: { plan: 'pro' },
  };
  const put = async () =>
    panel.world.rest('/api/billing/subscription', { ...changing, headers: { 'idempotency-key': 'y1' } });
  const first = await put();
  expect(first).toMatchObject({ status: 200, body: { plan: 'pro', instance_limit: 25, instances_used: 0 } });
  expect(Object.keys(first.body)).toHaveLength(7);
  expect(await put()).toMatchObject({ status: 200, body: first.body });
  expect((await panel.sdk.invoices.list({ customer })).data).toHaveLength(1);

  const read = async (path: string, permission: string) =>
    panel.world.rest(path, { token: await keyWith(permission) });
  expect(await read('/api/billing/subscription', 'billing.subscription.read')).toMatchObject({
    status: 200,
    body: { plan: 'pro', instances_used: 0 },
  });
  const used = { used: expect.any(Number) };
  expect(await read('/api/billing/usage', 'billing.usage.read')).toMatchObject({
    status: 200,
    body: { nodes: used, users: used, storage_gb: used },
  });
  expect(await read('/api/billing/usage', 'billing.subscription.read')).toMatchObject({ status: 403 });
}, 120_000);

const previewed = async (tenant: Tenant, plan: string) =>
  tenant.graphql('query ($plan: Plan!) { previewPlanChange(input: { plan: $plan }) { amountDue } }', {
    plan,
  });
const page = async (tenant: Tenant) =>
  tenant.graphql('mutation { createCheckoutSession(input: { plan: PRO }) { url } }');
const violation = { errors: [{ extensions: { code: 'CONFLICT', reason: 'POLICY_VIOLATION' } }] };

/** That a plan other than those is not to be. */
async function onlyPlans(tenant: Tenant, plans: string[]): Promise<string> {
  const policy = await create(tenant, {
    name: 'Approved plans',
    enforcement: 'MANDATORY',
    rule: { condition: 'plan.name', operator: 'in', value: plans },
  });
  await until(async () => {
    const rows = await panel.sql(
      'select 1 from billing.mandatory_policies where tenant_id = $1 and count > 0',
      [tenant.id],
    );
    return rows.length === 1;
  }, 'billing to know of the policy');
  return policy;
}

test('a change of plan that a mandatory policy forbids is refused with the policy and its evidence, and nothing is asked of Stripe', async () => {
  const tenant = await panel.world.tenant();
  const customer = await giveCard(panel, tenant);
  const policy = await onlyPlans(tenant, ['FREE']);
  const refused = await tenant.rest('/api/billing/subscription', { method: 'PUT', body: { plan: 'pro' } });
  expect([refused.status, refused.body['error']]).toEqual([
    409,
    `The mandatory policy ${policy} (Approved plans) does not let this plan be chosen: plan.name is "PRO", and has to be in ["FREE"]`,
  ]);
  const answers = [await change(tenant, { plan: 'PRO' }), await previewed(tenant, 'PRO'), await page(tenant)];
  expect(answers).toMatchObject([violation, violation, violation]);
  expect(answers[0]!.errors![0]!.extensions['details']).toMatchObject({
    policy,
    name: 'Approved plans',
    condition: 'plan.name',
    operator: 'in',
    expected: ['FREE'],
    actual: 'PRO',
  });
  expect((await panel.sdk.subscriptions.list({ customer, status: 'all' })).data).toEqual([]);
  expect((await panel.sdk.checkout.sessions.list({ customer })).data).toEqual([]);
  expect(await panel.sql('select 1 from billing.intent where tenant_id = $1', [tenant.id])).toEqual([]);
}, 120_000);

test('a smaller plan that a mandatory policy forbids is refused too; to end a subscription never is, nor to take that back', async () => {
  const tenant = await panel.world.tenant();
  await giveCard(panel, tenant);
  dataOf(await change(tenant, { plan: 'PRO' }));
  await onlyPlans(tenant, ['PRO', 'ENTERPRISE']);
  expect(await change(tenant, { plan: 'FREE' })).toMatchObject(violation);
  // The plan stays, however it is paid.
  dataOf(await change(tenant, { plan: 'PRO', billingCycle: 'YEARLY' }));
  dataOf(await tenant.graphql('mutation { cancelSubscription { cancelAt } }'));
  dataOf(await change(tenant, { plan: 'PRO', billingCycle: 'YEARLY' }));
  expect(await subscriptionOf(tenant)).toMatchObject({ plan: 'PRO', billingCycle: 'YEARLY', cancelAt: null });
}, 120_000);

test('when policies can not be asked, only those wait who have mandatory ones', async () => {
  const [bound, free] = [await panel.world.tenant(), await panel.world.tenant()];
  for (const tenant of [bound, free]) await giveCard(panel, tenant);
  await onlyPlans(bound, ['PRO']);
  await panel.panel.subgraphs!.governance.stop();
  const refused = await bound.rest('/api/billing/subscription', { method: 'PUT', body: { plan: 'pro' } });
  expect([refused.status, refused.body]).toEqual([
    503,
    { error: 'Whether policies let this be done cannot be asked just now' },
  ]);
  const customer = await customerOf(panel, bound);
  expect((await panel.sdk.subscriptions.list({ customer, status: 'all' })).data).toEqual([]);
  expect(dataOf(await change(free, { plan: 'PRO' })).changeSubscription.plan).toBe('PRO');
}, 120_000);

test('while fleet is away the plan is told still to who asks for the use of it by the tenant', async () => {
  const tenant = await panel.world.tenant();
  await until(async () => {
    const rows = await panel.sql('select 1 from billing.subscription where tenant_id = $1', [tenant.id]);
    return rows.length === 1;
  }, 'billing to know of the tenant');
  await panel.panel.subgraphs!.fleet.stop();
  const apart = await tenant.graphql('{ subscription { plan } tenant { name usage { nodes { used } } } }');
  expect(apart).toMatchObject({
    data: { subscription: { plan: 'FREE' }, tenant: { name: tenant.user.tenant.name, usage: null } },
    errors: [{ extensions: { code: 'UNAVAILABLE' } }],
  });
  const whole = await tenant.graphql('{ subscription { plan instancesUsed } }');
  expect(whole).toMatchObject({ data: null, errors: [{ extensions: { code: 'UNAVAILABLE' } }] });
}, 120_000);
