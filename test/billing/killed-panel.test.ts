import { expect, test } from 'vitest';

import { systemClock } from '#platform/clock.js';
import { silentLogger } from '#platform/logger.js';
import { startStripeSandbox } from '#sandbox/stripe/start.js';
import { ensureCatalogue } from '#subgraphs/billing/stripe/catalogue.js';
import { createStripe } from '#subgraphs/billing/stripe/stripe-client.js';

import { TestClock } from '../support/clock.js';
import { createTestDatabase, testSecretsKey } from '../support/panel.js';
import { freePort, PanelProcess } from '../support/process.js';
import { until, World } from '../support/world.js';
import { webhookSecret } from './support/billing-panel.js';

test('a panel that is killed after Stripe has charged and before it has written that down charges once', async () => {
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
  const settings = {
    DATABASE_URL: database.url,
    SECRETS_KEY: testSecretsKey,
    PUBLIC_URL: 'http://panel.test',
    STRIPE_SECRET_KEY: stripe.secretKey,
    STRIPE_WEBHOOK_SECRET: webhookSecret,
    STRIPE_API_BASE: stripe.url,
  };
  const running = [await new PanelProcess(port, settings).ready()];
  try {
    const tenant = await new World(running[0]!.url, new TestClock()).tenant();
    await tenant.graphql('mutation { createPortalSession { url } }');
    const [customer] = (await sdk.customers.list()).data;
    const card = await sdk.paymentMethods.attach('pm_card_visa', { customer: customer!.id });
    await sdk.customers.update(customer!.id, { invoice_settings: { default_payment_method: card.id } });
    const put = async (url: string) =>
      new World(url, new TestClock()).rest('/api/billing/subscription', {
        method: 'PUT',
        token: tenant.token,
        body: { plan: 'pro' },
        headers: { 'idempotency-key': 'killed' },
      });
    // Done at Stripe at once, and told a while later.
    stripe.addFault({ kind: 'delay', method: 'POST', path: '/v1/subscriptions', delayMs: 8_000 });
    const never = put(running[0]!.url).catch(() => undefined);
    for (;;) {
      const { data } = await sdk.subscriptions.list({ customer: customer!.id });
      if (data.length > 0) break;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(await running[0]!.kill('SIGKILL')).toBe('SIGKILL');
    await never;

    running.push(await new PanelProcess(port, settings).ready());
    // Until Stripe's own answer is over it says that this is under way.
    let again = await put(running[1]!.url);
    await until(
      async () => {
        if (again.status === 503) again = await put(running[1]!.url);
        return again.status !== 503;
      },
      'Stripe to have answered',
      40_000,
    );
    expect({ status: again.status, plan: again.body['plan'] }).toEqual({ status: 200, plan: 'pro' });
    const subscriptions = await sdk.subscriptions.list({ customer: customer!.id, status: 'all' });
    const invoices = await sdk.invoices.list({ customer: customer!.id });
    expect({
      subscriptions: subscriptions.data.length,
      paid: invoices.data.map(({ amount_paid }) => amount_paid),
    }).toEqual({ subscriptions: 1, paid: [4900] });
  } finally {
    for (const panel of running) await panel.kill('SIGTERM');
    await stripe.stop();
    await database.drop();
  }
}, 90_000);
