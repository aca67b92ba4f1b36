import type Stripe from 'stripe';

import type { Clock } from '#platform/clock.js';
import { silentLogger } from '#platform/logger.js';
import { startStripeSandbox, type StripeSandbox, type StripeSandboxOptions } from '#sandbox/stripe/start.js';
import { ensureCatalogue } from '#subgraphs/billing/stripe/catalogue.js';
import { createStripe } from '#subgraphs/billing/stripe/stripe-client.js';

import { hurryJobs } from '../../support/jobs.js';
import { startTestPanel, type TestPanel } from '../../support/panel.js';
import { freePort } from '../../support/process.js';
import { Tenant, until, type GraphQLAnswer } from '../../support/world.js';

export const webhookSecret = `whsec_${'t'.repeat(32)}`;

/** A panel whose Stripe is the stand-in, on the same clock. */
export interface BillingPanel extends TestPanel {
  stripe: StripeSandbox;
  /** The official SDK, for what somebody does at Stripe. */
  sdk: Stripe;
}

/** The catalogue is made already. */
export async function startBillingPanel(
  options: Partial<Pick<StripeSandboxOptions, 'billing' | 'delivery'>> & {
    settings?: Record<string, string>;
    mode?: 'split';
  } = {},
): Promise<BillingPanel> {
  const port = await freePort();
  let panelClock: Clock | undefined;
  const clock: Clock = {
    now: () => panelClock?.now() ?? new Date(),
    delay: async (ms, signal) =>
      panelClock ? panelClock.delay(ms, signal) : new Promise<void>(() => undefined),
  };
  const stripe = await startStripeSandbox({
    port: 0,
    clock,
    // Where each part has a port of its own, none can be told before: events are fetched, and posted by tests.
    ...(options.mode === 'split'
      ? {}
      : { webhook: { url: `http://127.0.0.1:${port}/webhooks/stripe`, secret: webhookSecret } }),
    logger: silentLogger,
    ...(options.billing ? { billing: options.billing } : {}),
    ...(options.delivery ? { delivery: options.delivery } : {}),
  });
  const sdk = createStripe(stripe.secretKey, stripe.url);
  const panel = await startTestPanel(
    {
      ...(options.mode === 'split' ? {} : { PORT: String(port) }),
      STRIPE_SECRET_KEY: stripe.secretKey,
      STRIPE_WEBHOOK_SECRET: webhookSecret,
      STRIPE_API_BASE: stripe.url,
      ...options.settings,
    },
    options.mode,
  );
  panelClock = panel.clock;
  await ensureCatalogue(sdk);
  const stop = async () => {
    await stripe.stop();
    await panel.stop();
  };
  return Object.assign(Object.create(panel) as TestPanel, panel, {
    stripe,
    sdk,
    stop,
    [Symbol.asyncDispose]: stop,
  });
}

export interface SubscriptionView {
  plan: string;
  status: string;
  billingCycle: string;
  planSource: string;
  isReadOnly: boolean;
  cancelAt: string | null;
  trialEnd: string | null;
  periodEnd: string | null;
  nextInvoiceDate: string | null;
  instanceLimit: number | null;
  instancesUsed: number;
  scheduledChange: { plan: string; billingCycle: string; at: string } | null;
  overduePayment: { since: string; amountDue: number | null; readOnlyAt: string } | null;
}

export const subscriptionFields = `plan status billingCycle planSource isReadOnly cancelAt trialEnd periodEnd
  nextInvoiceDate instanceLimit instancesUsed scheduledChange { plan billingCycle at }
  overduePayment { since amountDue readOnlyAt }`;

export async function subscriptionOf(tenant: Tenant): Promise<SubscriptionView> {
  const answer = await tenant.graphql<{ subscription: SubscriptionView }>(
    `{ subscription { ${subscriptionFields} } }`,
  );
  if (answer.errors) throw new Error(JSON.stringify(answer.errors));
  return answer.data!.subscription;
}

/** Stripe's id of the tenant, which the panel makes for its portal. */
export async function customerOf(panel: BillingPanel, tenant: Tenant): Promise<string> {
  const find = async () => {
    const [row] = await panel.sql<{ customer_id: string | null }>(
      'select customer_id from billing.subscription where tenant_id = $1',
      [tenant.id],
    );
    return row?.customer_id ?? undefined;
  };
  const known = await find();
  if (known !== undefined) return known;
  const answer = await tenant.graphql('mutation { createPortalSession { url } }');
  if (answer.errors) throw new Error(JSON.stringify(answer.errors));
  return (await find())!;
}

/** Gives the tenant a card at Stripe, in the place of any other, and answers the customer. */
export async function giveCard(panel: BillingPanel, tenant: Tenant, card = 'pm_card_visa'): Promise<string> {
  const customer = await customerOf(panel, tenant);
  const { id: method } = await panel.sdk.paymentMethods.attach(card, { customer });
  await panel.sdk.customers.update(customer, { invoice_settings: { default_payment_method: method } });
  for (const { id } of (await panel.sdk.subscriptions.list({ customer })).data)
    await panel.sdk.subscriptions.update(id, { default_payment_method: method });
  return customer;
}

const signIns = new WeakMap<Tenant, { tenant: Tenant; at: number }>();

/** The tenant signed in anew, after so much time that its token has ended; not again within minutes of that. */
export async function signedIn(panel: Pick<TestPanel, 'clock' | 'world'>, tenant: Tenant): Promise<Tenant> {
  const now = panel.clock.now().getTime();
  const last = signIns.get(tenant);
  if (last && now - last.at < 300_000) return last.tenant;
  const { email, password } = tenant.account;
  const answer = await panel.world.login(email, password);
  if (answer.status !== 200) throw new Error(`login: ${answer.status} ${answer.text}`);
  const fresh = new Tenant(panel.world, tenant.account, answer.body);
  signIns.set(tenant, { tenant: fresh, at: now });
  return fresh;
}

export async function change(
  tenant: Tenant,
  input: Record<string, unknown>,
): ReturnType<typeof tenant.graphql<{ changeSubscription: SubscriptionView }>> {
  return tenant.graphql(
    `mutation($input: ChangeSubscriptionInput!) { changeSubscription(input: $input) { ${subscriptionFields} } }`,
    { input },
  );
}

export async function checkout(
  tenant: Tenant,
  input: Record<string, unknown> = {},
): Promise<GraphQLAnswer<{ createCheckoutSession: { url: string; expiresAt: string } }>> {
  return tenant.graphql(
    'mutation($input: CreateCheckoutSessionInput!) { createCheckoutSession(input: $input) { url expiresAt } }',
    { input: { plan: 'PRO', ...input } },
  );
}

/** Pays on a page of Stripe's. */
export async function payOn(url: string): Promise<void> {
  const paid = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ card: 'pm_card_visa' }),
    redirect: 'manual',
  });
  if (paid.status >= 400) throw new Error(`the page: ${paid.status}`);
}

/** The addresses of a tenant's pages that can be paid on. */
export async function openPages(panel: BillingPanel, tenant: Tenant): Promise<(string | null)[]> {
  const customer = await customerOf(panel, tenant);
  const { data } = await panel.sdk.checkout.sessions.list({ customer, status: 'open' });
  return data.map(({ url }) => url);
}

/** The ids of a customer's subscriptions that have not ended. */
export async function liveOf(panel: BillingPanel, customer: string): Promise<string[]> {
  const { data } = await panel.sdk.subscriptions.list({ customer });
  return data.map(({ id }) => id);
}

/** A tenant on Pro, paid by a card; every area knows it. */
export async function proTenant(
  panel: BillingPanel,
  cycle = 'MONTHLY',
): Promise<Tenant & { customer: string }> {
  const tenant = await panel.world.tenant();
  const customer = await giveCard(panel, tenant);
  const answer = await change(tenant, { plan: 'PRO', billingCycle: cycle });
  if (answer.errors) throw new Error(JSON.stringify(answer.errors));
  await until(async () => (await tenant.instanceLimit()) === 25, 'the plan to reach fleet');
  return Object.assign(tenant, { customer });
}

/** Has billing's jobs not wait for their time. */
export async function hurry(panel: Pick<TestPanel, 'sql'>): Promise<void> {
  await hurryJobs(panel, 'billing.%');
}

/** Waits until it is so, and has the panel's jobs not wait for their time meanwhile. */
export async function hurried(
  panel: TestPanel,
  isSo: () => Promise<boolean>,
  what: string,
  withinMs = 20_000,
): Promise<void> {
  let looks = 0;
  await until(
    async () => {
      if (await isSo()) return true;
      // Jobs that wait are looked for in all queues, which takes longer than what is waited for.
      if (looks % 4 === 0) await hurry(panel);
      looks += 1;
      return false;
    },
    what,
    withinMs,
  );
}

/** Waits until what Stripe has told so far was applied. */
export async function applied(panel: BillingPanel, withinMs = 20_000): Promise<void> {
  await panel.stripe.delivered();
  await until(
    async () => {
      const [row] = await panel.sql<{ open: number }>(
        'select (select count(*) from billing.sync_request)::int + (select count(*) from billing.webhook_event where applied_at is null)::int as open',
      );
      return row!.open === 0;
    },
    'webhooks to be applied',
    withinMs,
  );
}

/**
 * Moves time on at Stripe and in the panel, and waits until what was due has happened at both. A long way is gone in one
 * leap, after which the panel's steps need some seconds: the right to run them ended meanwhile.
 */
export async function pass(panel: BillingPanel, ms: number): Promise<void> {
  const afterwards = 36_000;
  await panel.clock.leap(Math.max(0, ms - afterwards));
  panel.stripe.settle();
  await applied(panel);
  for (let step = 0; step < 9; step += 1) {
    await panel.clock.leap(afterwards / 9);
    await new Promise((resolve) => setTimeout(resolve, 40));
  }
  await applied(panel);
}

export const dayMs = 24 * 60 * 60 * 1000;
