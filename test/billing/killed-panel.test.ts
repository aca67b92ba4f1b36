import pg from 'pg';
import type Stripe from 'stripe';
import { expect, test } from 'vitest';

import { systemClock } from '#platform/clock.js';
import { silentLogger } from '#platform/logger.js';
import { startStripeSandbox, type StripeSandbox } from '#sandbox/stripe/start.js';
import { ensureCatalogue } from '#subgraphs/billing/stripe/catalogue.js';
import { createStripe } from '#subgraphs/billing/stripe/stripe-client.js';

import { TestClock } from '../support/clock.js';
import { createTestDatabase, testSecretsKey } from '../support/panel.js';
import { freePort, PanelProcess } from '../support/process.js';
import { until, World, type Tenant } from '../support/world.js';
import { webhookSecret } from './support/billing-panel.js';

interface Stage extends AsyncDisposable {
  stripe: StripeSandbox;
  sdk: Stripe;
  /** Past every policy. */
  sql(text: string): Promise<void>;
  /** Another panel on the same database and port, that of the machine's own time. */
  start(): Promise<PanelProcess>;
}

async function openStage(): Promise<Stage> {
  const database = await createTestDatabase();
  const port = await freePort();
  const stripe = await startStripeSandbox({
    port: 0,
    clock: systemClock,
    webhook: { url: `http://127.0.0.1:${port}/webhooks/stripe`, secret: webhookSecret },
    logger: silentLogger,
  });
  const sdk = createStripe(stripe.secretKey, stripe.url);
  await ensureCatalogue(sdk);
  const running: PanelProcess[] = [];
  const owner = new pg.Client({ connectionString: database.ownerUrl });
  await owner.connect();
  return {
    stripe,
    sdk,
    async sql(text) {
      await owner.query(text);
    },
    async start() {
      const panel = new PanelProcess(port, {
        DATABASE_URL: database.url,
        SECRETS_KEY: testSecretsKey,
        PUBLIC_URL: 'http://panel.test',
        STRIPE_SECRET_KEY: stripe.secretKey,
        STRIPE_WEBHOOK_SECRET: webhookSecret,
        STRIPE_API_BASE: stripe.url,
      });
      running.push(panel);
      return panel.ready();
    },
    async [Symbol.asyncDispose]() {
      for (const panel of running) await panel.kill('SIGTERM');
      await stripe.stop();
      await owner.end();
      await database.drop();
    },
  };
}

/** A tenant with a card at Stripe. */
async function withCard(sdk: Stripe, { url }: PanelProcess): Promise<{ tenant: Tenant; customer: string }> {
  const tenant = await new World(url, new TestClock()).tenant();
  await tenant.graphql('mutation { createPortalSession { url } }');
  const [customer] = (await sdk.customers.list()).data;
  const card = await sdk.paymentMethods.attach('pm_card_visa', { customer: customer!.id });
  await sdk.customers.update(customer!.id, { invoice_settings: { default_payment_method: card.id } });
  return { tenant, customer: customer!.id };
}

test('when a panel is killed the next one charges no second time what Stripe has charged and it had not written down, and applies the webhook that it had acknowledged', async () => {
  await using stage = await openStage();
  const { stripe, sdk } = stage;
  const first = await stage.start();
  const told = await withCard(sdk, first);
  const { data } = await sdk.prices.list({ lookup_keys: ['quazzar_pro_monthly'] });

  const { tenant, customer } = await withCard(sdk, first);
  const put = async (url: string) =>
    new World(url, new TestClock()).rest('/api/billing/subscription', {
      method: 'PUT',
      token: tenant.token,
      body: { plan: 'pro' },
      headers: { 'idempotency-key': 'killed' },
    });
  // Done at Stripe at once, and told a while later.
  stripe.addFault({ kind: 'delay', method: 'POST', path: '/v1/subscriptions', delayMs: 10_000 });
  const never = put(first.url).catch(() => undefined);
  await until(
    async () => (await sdk.subscriptions.list({ customer })).data.length > 0,
    'the subscription to be made at Stripe',
    60_000,
  );

  stripe.deliver({ lose: 1_000 });
  await sdk.subscriptions.create({ customer: told.customer, items: [{ price: data[0]!.id }] });
  await stripe.delivered();
  const [event] = (await sdk.events.list({ type: 'customer.subscription.created', limit: 1 })).data;
  // The looks that webhooks ask for hear nothing until the panel is gone.
  stripe.addFault({ kind: 'delay', method: 'GET', path: '/v1/subscriptions', next: 100, delayMs: 60_000 });
  const payload = JSON.stringify(event);
  const acknowledged = await fetch(`${first.url}/webhooks/stripe`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'stripe-signature': sdk.webhooks.generateTestHeaderString({ payload, secret: webhookSecret }),
    },
    body: payload,
  });
  expect(acknowledged.status).toBe(200);
  expect(await first.kill('SIGKILL')).toBe('SIGKILL');
  expect(await never).toBeUndefined();
  await fetch(`${stripe.url}/_sandbox/faults`, { method: 'DELETE' });

  const second = await stage.start();
  const planOf = async () =>
    (
      await new World(second.url, new TestClock()).rest<{ plan: string }>('/api/billing/subscription', {
        token: told.tenant.token,
      })
    ).body.plan;
  expect(await planOf()).toBe('free');
  // Half a minute passes before it takes a look for lost.
  await stage.sql(`update billing.sync_request set wanted_at = wanted_at - interval '1 minute'`);
  // Until Stripe's own answer is over it says that this is under way.
  let again = await put(second.url);
  await until(
    async () => {
      if (again.status === 503) again = await put(second.url);
      return again.status !== 503;
    },
    'Stripe to have answered',
    40_000,
  );
  expect({ status: again.status, plan: again.body['plan'] }).toEqual({ status: 200, plan: 'pro' });
  const subscriptions = await sdk.subscriptions.list({ customer, status: 'all' });
  const invoices = await sdk.invoices.list({ customer });
  expect({
    subscriptions: subscriptions.data.length,
    paid: invoices.data.map(({ amount_paid }) => amount_paid),
  }).toEqual({ subscriptions: 1, paid: [4900] });
  await until(async () => (await planOf()) === 'pro', 'the webhook to be applied', 120_000);
}, 240_000);
