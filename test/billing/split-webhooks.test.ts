import { expect, test } from 'vitest';

import { silentLogger } from '#platform/logger.js';
import { startStripeSandbox } from '#sandbox/stripe/start.js';
import { ensureCatalogue } from '#subgraphs/billing/stripe/catalogue.js';
import { createStripe } from '#subgraphs/billing/stripe/stripe-client.js';

import { dataOf } from '../support/answers.js';
import { TestClock } from '../support/clock.js';
import { startTestPanel } from '../support/panel.js';
import { until } from '../support/world.js';
import { webhookSecret } from './support/billing-panel.js';

test('with billing in a process of its own webhooks reach it through the gateway, byte for byte', async () => {
  const stripe = await startStripeSandbox({ port: 0, clock: new TestClock(), logger: silentLogger });
  try {
    const sdk = createStripe(stripe.secretKey, stripe.url);
    await ensureCatalogue(sdk);
    await using panel = await startTestPanel(
      {
        STRIPE_SECRET_KEY: stripe.secretKey,
        STRIPE_WEBHOOK_SECRET: webhookSecret,
        STRIPE_API_BASE: stripe.url,
      },
      'split',
    );
    const tenant = await panel.world.tenant();
    dataOf(await tenant.graphql('mutation { createPortalSession { url } }'));
    const [row] = await panel.sql<{ customer_id: string }>(
      'select customer_id from billing.subscription where tenant_id = $1',
      [tenant.id],
    );
    const customer = row!.customer_id;
    const { id: method } = await sdk.paymentMethods.attach('pm_card_visa', { customer });
    const { data: prices } = await sdk.prices.list({ lookup_keys: ['quazzar_pro_monthly'] });
    await sdk.subscriptions.create({
      customer,
      items: [{ price: prices[0]!.id }],
      default_payment_method: method,
    });
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
    expect(await post(payload)).toEqual([200, { received: true }]);
    await until(async () => {
      const { data } = await tenant.graphql<{ subscription: { plan: string } }>('{ subscription { plan } }');
      return data?.subscription.plan === 'PRO';
    }, 'the subscription to be asked for');
  } finally {
    await stripe.stop();
  }
}, 90_000);
