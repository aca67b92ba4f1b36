import { afterAll, beforeAll, expect, test } from 'vitest';

import { create } from '../governance/support/tenant.js';
import { dataOf, refusal } from '../support/answers.js';
import { until, type GraphQLAnswer, type Tenant } from '../support/world.js';
import {
  applied,
  change,
  checkout,
  customerOf,
  giveCard,
  hurried,
  payOn,
  proTenant,
  signedIn,
  startBillingPanel,
  subscriptionOf,
  type BillingPanel,
} from './support/billing-panel.js';

let panel: BillingPanel;
beforeAll(async () => {
  panel = await startBillingPanel();
});
afterAll(async () => panel.stop());

const codesOf = ({ errors = [] }: GraphQLAnswer<unknown>) =>
  errors.map(({ extensions }) => extensions['code']);

const away = { code: 'UNAVAILABLE', reason: 'STRIPE_AWAY', retryAfterSeconds: 5, details: { isKept: true } };

async function tenantWithCard(card?: string): Promise<Tenant & { customer: string }> {
  const tenant = await panel.world.tenant();
  return Object.assign(tenant, { customer: await giveCard(panel, tenant, card) });
}

/** What Stripe has of a customer: each subscription, and what was paid. */
async function charged(customer: string): Promise<{ subscriptions: string[]; paid: number[] }> {
  const subscriptions = await panel.sdk.subscriptions.list({ customer, status: 'all' });
  const invoices = await panel.sdk.invoices.list({ customer });
  return {
    subscriptions: subscriptions.data.map(({ status }) => status),
    paid: invoices.data.filter(({ status }) => status === 'paid').map(({ amount_paid }) => amount_paid),
  };
}

/** How many of its changes are under way. */
async function openIntents(tenant: Tenant): Promise<number> {
  const [row] = await panel.sql<{ open: number }>(
    `select count(*)::int as open from billing.intent where tenant_id = $1 and status = 'PENDING'`,
    [tenant.id],
  );
  return row!.open;
}

/** What the trail has of changes of plan, once it has any. */
async function trailOf(tenant: Tenant): Promise<unknown[]> {
  let rows: { changes: unknown }[] = [];
  await until(async () => {
    rows = await panel.sql(
      `select details -> 'changes' as changes from identity.audit_event
       where tenant_id = $1 and action = 'changeSubscription' order by sequence`,
      [tenant.id],
    );
    return rows.length > 0;
  }, 'the trail to tell of it');
  return rows.map(({ changes }) => changes);
}

test('a declined card changes nothing, says so, and another card does', async () => {
  const tenant = await tenantWithCard('pm_card_chargeCustomerFail');
  const refused = refusal(await change(tenant, { plan: 'PRO', idempotencyKey: 'declined' }));
  expect(refused).toMatchObject({ code: 'CONFLICT', reason: 'CARD_DECLINED' });
  expect((await charged(tenant.customer)).paid).toEqual([]);
  expect(await subscriptionOf(tenant)).toMatchObject({ plan: 'FREE' });
  expect(await trailOf(tenant)).toEqual([
    { kind: 'SUBSCRIBE', plan: 'PRO', billingCycle: 'MONTHLY', refused: 'CARD_DECLINED' },
  ]);
  await giveCard(panel, tenant);
  expect(
    dataOf(await change(tenant, { plan: 'PRO', idempotencyKey: 'declined' })).changeSubscription,
  ).toMatchObject({
    plan: 'PRO',
    status: 'ACTIVE',
  });
  expect((await charged(tenant.customer)).paid).toEqual([4900]);
});

test('a declined upgrade leaves the plan, the cycle and the money as they were', async () => {
  const tenant = await proTenant(panel);
  await giveCard(panel, tenant, 'pm_card_chargeCustomerFail');
  const refused = refusal(await change(tenant, { plan: 'PRO', billingCycle: 'YEARLY' }));
  expect(refused).toMatchObject({ code: 'CONFLICT', reason: 'CARD_DECLINED' });
  expect(await subscriptionOf(tenant)).toMatchObject({
    plan: 'PRO',
    billingCycle: 'MONTHLY',
    status: 'ACTIVE',
  });
  expect((await charged(tenant.customer)).paid).toEqual([4900]);
});

test('while Stripe is down a change is told to come again, and then it is made once', async () => {
  const tenant = await tenantWithCard();
  panel.stripe.addFault({ kind: 'error', method: 'POST', path: '/v1/subscriptions', status: 503, next: 10 });
  expect(refusal(await change(tenant, { plan: 'PRO' }))).toEqual(away);
  expect(await subscriptionOf(tenant)).toMatchObject({ plan: 'FREE' });
  await clearFaults();
  expect(dataOf(await change(tenant, { plan: 'PRO' })).changeSubscription.plan).toBe('PRO');
  expect(await charged(tenant.customer)).toEqual({ subscriptions: ['active'], paid: [4900] });
});

test('while a purchase is not finished there is no page to buy on, and it is one charge', async () => {
  const tenant = await tenantWithCard();
  panel.stripe.addFault({ kind: 'error', method: 'POST', path: '/v1/subscriptions', status: 503, next: 10 });
  expect(refusal(await change(tenant, { plan: 'PRO' }))).toEqual(away);
  await clearFaults();
  expect(refusal(await checkout(tenant))).toMatchObject({ code: 'CONFLICT', reason: 'CHANGE_IN_PROGRESS' });
  await hurried(panel, async () => (await subscriptionOf(tenant)).plan === 'PRO', 'the job to finish it');
  expect(await charged(tenant.customer)).toEqual({ subscriptions: ['active'], paid: [4900] });
}, 60_000);

test('what was bought on a page is not bought again before its webhook has come', async () => {
  const tenant = await tenantWithCard();
  const { url } = dataOf(await checkout(tenant)).createCheckoutSession;
  // What is told of the customer is still under way, and whoever hears it asks for what they have bought.
  await applied(panel);
  await deliveries({ isHeld: true });
  await payOn(url);
  const refused = refusal(await change(tenant, { plan: 'PRO' }));
  await deliveries({ isHeld: false });
  expect(refused).toMatchObject({ code: 'CONFLICT', reason: 'ALREADY_SUBSCRIBED' });
  expect(await charged(tenant.customer)).toEqual({ subscriptions: ['active'], paid: [4900] });
});

test('a 429 is told to come again, and nothing was charged by it', async () => {
  const tenant = await tenantWithCard();
  panel.stripe.addFault({
    kind: 'error',
    method: 'POST',
    path: '/v1/subscriptions',
    status: 429,
    retryAfter: 1,
  });
  expect(refusal(await change(tenant, { plan: 'PRO' }))).toEqual(away);
  expect(await charged(tenant.customer)).toEqual({ subscriptions: [], paid: [] });
  expect(dataOf(await change(tenant, { plan: 'PRO' })).changeSubscription.plan).toBe('PRO');
  expect(await charged(tenant.customer)).toEqual({ subscriptions: ['active'], paid: [4900] });
});

test('an answer that is lost after Stripe has charged is one charge, whoever asks again', async () => {
  const tenant = await tenantWithCard();
  panel.stripe.addFault({ kind: 'drop_after_commit', method: 'POST', path: '/v1/subscriptions', next: 20 });
  const first = await change(tenant, { plan: 'PRO', idempotencyKey: 'lost' });
  await clearFaults();
  expect(codesOf(first)).toEqual(['UNAVAILABLE']);
  const again = await change(tenant, { plan: 'PRO', idempotencyKey: 'lost' });
  expect(dataOf(again).changeSubscription).toMatchObject({ plan: 'PRO', status: 'ACTIVE' });
  expect(await charged(tenant.customer)).toEqual({ subscriptions: ['active'], paid: [4900] });
});

test('an answer that ends in its middle is no answer, and one charge', async () => {
  const tenant = await tenantWithCard();
  panel.stripe.addFault({ kind: 'cut_body', method: 'POST', path: '/v1/subscriptions', next: 20 });
  const first = await change(tenant, { plan: 'PRO' });
  await clearFaults();
  expect(codesOf(first)).toEqual(['UNAVAILABLE']);
  expect(dataOf(await change(tenant, { plan: 'PRO' })).changeSubscription.plan).toBe('PRO');
  expect(await charged(tenant.customer)).toEqual({ subscriptions: ['active'], paid: [4900] });
});

test('a slow Stripe is waited for; who asks meanwhile for another change is told', async () => {
  const tenant = await tenantWithCard();
  panel.stripe.addFault({ kind: 'delay', method: 'POST', path: '/v1/subscriptions', delayMs: 1_500 });
  const slow = change(tenant, { plan: 'PRO' });
  await until(async () => (await openIntents(tenant)) === 1, 'the change to be under way');
  const other = await change(tenant, { plan: 'PRO', billingCycle: 'YEARLY' });
  expect(refusal(other)).toMatchObject({ code: 'CONFLICT', reason: 'CHANGE_IN_PROGRESS' });
  expect(dataOf(await slow).changeSubscription.plan).toBe('PRO');
  expect(await charged(tenant.customer)).toEqual({ subscriptions: ['active'], paid: [4900] });
});

test('a tenant that is renamed while Stripe makes its customer is called so there too', async () => {
  const tenant = await panel.world.tenant();
  panel.stripe.addFault({ kind: 'delay', method: 'POST', path: '/v1/customers', delayMs: 3_000 });
  const made = tenant.graphql('mutation { createPortalSession { url } }');
  dataOf(await tenant.graphql('mutation { updateTenant(input: { name: "Renamed Ltd" }) { id } }'));
  expect((await made).errors).toBeUndefined();
  const customer = await customerOf(panel, tenant);
  const calledThere = async () => panel.sdk.customers.retrieve(customer);
  await expect.poll(calledThere, { timeout: 20_000 }).toMatchObject({ name: 'Renamed Ltd' });
});

test('nobody who asks again: the panel finishes by itself what it has begun, and tells the trail of it', async () => {
  const tenant = await tenantWithCard();
  const poor = await tenantWithCard('pm_card_chargeCustomerFail');
  panel.stripe.addFault({ kind: 'error', method: 'POST', path: '/v1/subscriptions', status: 500, next: 10 });
  expect(refusal(await change(tenant, { plan: 'PRO' }))).toEqual(away);
  expect(refusal(await change(poor, { plan: 'PRO' }))).toEqual(away);
  await clearFaults();
  await hurried(panel, async () => (await subscriptionOf(tenant)).plan === 'PRO', 'the job to finish it');
  expect(await charged(tenant.customer)).toEqual({ subscriptions: ['active'], paid: [4900] });
  const asked = { kind: 'SUBSCRIBE', plan: 'PRO', billingCycle: 'MONTHLY' };
  expect(await trailOf(tenant)).toEqual([asked]);
  expect(await trailOf(poor)).toEqual([{ ...asked, refused: 'CARD_DECLINED' }]);
  expect((await charged(poor.customer)).paid).toEqual([]);
}, 90_000);

test('a failure that Stripe keeps for its key does not stand: the change is made under another, once', async () => {
  const tenant = await proTenant(panel);
  panel.stripe.addFault({ kind: 'error', method: 'POST', path: '/v1/subscriptions/', isKept: true });
  const yearly = async () => change(tenant, { plan: 'PRO', billingCycle: 'YEARLY' });
  expect(refusal(await yearly())).toEqual(away);
  expect(dataOf(await yearly()).changeSubscription).toMatchObject({ billingCycle: 'YEARLY' });
  expect((await charged(tenant.customer)).paid).toHaveLength(2);
});

test('a change at which Stripe fails each time is given up, and the subscription can be ended', async () => {
  const tenant = await proTenant(panel);
  const path = '/v1/subscriptions/';
  panel.stripe.addFault({ kind: 'error', method: 'POST', path, isKept: true, next: 100 });
  expect(refusal(await change(tenant, { plan: 'PRO', billingCycle: 'YEARLY' }))).toEqual(away);
  await hurried(panel, async () => (await openIntents(tenant)) === 0, 'the change to be given up');
  await clearFaults();
  const { errors } = await tenant.graphql('mutation { cancelSubscription { cancelAt } }');
  expect(errors).toBeUndefined();
  expect(await subscriptionOf(tenant)).toMatchObject({
    billingCycle: 'MONTHLY',
    cancelAt: expect.any(String),
  });
  expect(await trailOf(tenant)).toContainEqual({
    kind: 'UPGRADE',
    plan: 'PRO',
    billingCycle: 'YEARLY',
    refused: 'STRIPE_AWAY',
  });
}, 60_000);

test('an end at which Stripe fails each time is kept, told so each time, and made once Stripe can', async () => {
  const made = await proTenant(panel);
  const path = '/v1/subscriptions/';
  panel.stripe.addFault({ kind: 'error', method: 'POST', path, isKept: true, next: 100 });
  const cancel = async () => made.graphql('mutation { cancelSubscription { cancelAt } }');
  for (let call = 0; call < 5; call += 1) expect(refusal(await cancel())).toEqual(away);
  await clearFaults();
  // The keys that have failed go on to fail.
  expect(refusal(await cancel())).toEqual(away);
  expect(await openIntents(made)).toBe(1);
  await panel.clock.leap(60 * 60 * 1000);
  const tenant = await signedIn(panel, made);
  await hurried(panel, async () => (await subscriptionOf(tenant)).cancelAt !== null, 'the end to be made');
  expect(await openIntents(tenant)).toBe(0);
}, 60_000);

test('an end that Stripe could not be asked for is made whenever it can, and a change for a day', async () => {
  const [ending, changing] = [await proTenant(panel), await tenantWithCard()];
  panel.stripe.addFault({
    kind: 'error',
    method: 'POST',
    path: '/v1/subscriptions',
    status: 503,
    next: 1_000,
  });
  expect(refusal(await ending.graphql('mutation { cancelSubscription { cancelAt } }'))).toEqual(away);
  expect(refusal(await change(changing, { plan: 'PRO' }))).toEqual(away);
  await panel.clock.leap(24 * 60 * 60 * 1000);
  await hurried(panel, async () => (await openIntents(changing)) === 0, 'the change to be given up');
  expect(await trailOf(changing)).toContainEqual(expect.objectContaining({ refused: 'STRIPE_AWAY' }));
  expect(await openIntents(ending)).toBe(1);
  // As where its job was given up.
  await panel.sql(`delete from jobs.job where data::text like '%' || $1 || '%'`, [ending.id]);
  await clearFaults();
  await panel.clock.leap(24 * 60 * 60 * 1000);
  const tenant = await signedIn(panel, ending);
  await hurried(panel, async () => (await subscriptionOf(tenant)).cancelAt !== null, 'the end to be made');
}, 60_000);

test('a change that is under way is finished by whoever asks again, also where a policy forbids it since', async () => {
  const tenant = await tenantWithCard();
  panel.stripe.addFault({ kind: 'error', method: 'POST', path: '/v1/subscriptions', status: 503, next: 10 });
  expect(refusal(await change(tenant, { plan: 'PRO' }))).toEqual(away);
  await create(tenant, {
    name: 'Free only',
    enforcement: 'MANDATORY',
    rule: { condition: 'plan.name', operator: 'in', value: ['FREE'] },
  });
  const other = async () => change(tenant, { plan: 'PRO', billingCycle: 'YEARLY' });
  await until(
    async () => refusal(await other())['reason'] === 'POLICY_VIOLATION',
    'the policy to hold for another change',
  );
  await clearFaults();
  expect(dataOf(await change(tenant, { plan: 'PRO' })).changeSubscription.plan).toBe('PRO');
  expect(await charged(tenant.customer)).toEqual({ subscriptions: ['active'], paid: [4900] });
}, 60_000);

test('webhooks are acknowledged while Stripe is down, and applied when it is back', async () => {
  const tenant = await proTenant(panel);
  await applied(panel);
  const [subscription] = (await panel.sdk.subscriptions.list({ customer: tenant.customer })).data;
  panel.stripe.addFault({ kind: 'error', method: 'GET', path: '/v1/subscriptions', status: 503, next: 4 });
  await panel.sdk.subscriptions.update(subscription!.id, { cancel_at_period_end: true });
  await panel.stripe.delivered();
  const taken = await panel.sql(
    `select 1 from billing.webhook_event where tenant_id = $1 and type = 'customer.subscription.updated'`,
    [tenant.id],
  );
  expect(taken.length).toBeGreaterThan(0);
  await hurried(
    panel,
    async () => (await subscriptionOf(tenant)).cancelAt !== null,
    'the change to be applied',
  );
});

async function deliveries(settings: { isHeld: boolean }): Promise<void> {
  const { url } = panel.stripe;
  await fetch(`${url}/_sandbox/webhooks`, { method: 'POST', body: JSON.stringify(settings) });
  if (!settings.isHeld) await fetch(`${url}/_sandbox/webhooks/release`, { method: 'POST' });
}

async function clearFaults(): Promise<void> {
  const { url } = panel.stripe;
  await fetch(`${url}/_sandbox/faults`, { method: 'DELETE' });
}
