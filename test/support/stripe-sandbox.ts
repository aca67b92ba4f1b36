import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import Stripe from 'stripe';

import { silentLogger } from '#platform/logger.js';
import { startStripeSandbox, type StripeSandbox, type StripeSandboxOptions } from '#sandbox/stripe/start.js';

import { TestClock } from './clock.js';

/** A webhook as it arrived. */
export interface Received {
  event: Stripe.Event;
  body: string;
  signature: string;
}

export interface SandboxWorld extends AsyncDisposable {
  sandbox: StripeSandbox;
  stripe: Stripe;
  clock: TestClock;
  /** What arrived at the webhook endpoint, in order. */
  received: Received[];
  /** What the endpoint answers from now on. */
  answerWith(status: number): void;
  webhookSecret: string;
}

/** Seconds since the epoch of a moment in UTC. */
export const seconds = (iso: string): number => Date.parse(`${iso}Z`) / 1000;

export function sdk(url: string, key: string, config: Stripe.StripeConfig = {}): Stripe {
  const { hostname, port } = new URL(url);
  return new Stripe(key, {
    host: hostname,
    port: Number(port),
    protocol: 'http',
    telemetry: false,
    ...config,
  });
}

/** A stand-in with an endpoint of its own, spoken to by the official SDK. */
export async function sandboxWorld(options: Partial<StripeSandboxOptions> = {}): Promise<SandboxWorld> {
  const received: Received[] = [];
  const webhookSecret = ['whsec', 'for', 'tests'].join('_');
  let status = 200;
  const endpoint = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString();
      received.push({
        body,
        event: JSON.parse(body),
        signature: String(request.headers['stripe-signature']),
      });
      response.writeHead(status).end();
    });
  });
  await new Promise<void>((resolve) => endpoint.listen(0, '127.0.0.1', resolve));
  const clock = new TestClock();
  const sandbox = await startStripeSandbox({
    port: 0,
    clock,
    logger: silentLogger,
    webhook: {
      url: `http://127.0.0.1:${(endpoint.address() as AddressInfo).port}/hook`,
      secret: webhookSecret,
    },
    ...options,
  });
  return {
    sandbox,
    stripe: sdk(sandbox.url, sandbox.secretKey),
    clock,
    received,
    answerWith(wanted) {
      status = wanted;
    },
    webhookSecret,
    async [Symbol.asyncDispose]() {
      await sandbox.stop();
      endpoint.closeAllConnections();
      await new Promise((resolve) => endpoint.close(resolve));
    },
  };
}

/** A stand-in with two products, and what tests of subscriptions ask of it. */
export interface BillingWorld extends SandboxWorld {
  prices: { pro: Stripe.Price; enterprise: Stripe.Price; yearly: Stripe.Price };
  /** A customer on a test clock of their own, with a card unless it is empty. */
  customerAt(iso: string, card?: string): Promise<{ clock: string; customer: string }>;
  /** From now on the customer pays with this card. */
  useCard(customer: string, card: string): Promise<void>;
  advance(clock: string, iso: string): Promise<void>;
  /** Oldest first. */
  invoicesOf(customer: string): Promise<Stripe.Invoice[]>;
  statusOf(subscription: string): Promise<string>;
  /** Types of the events that tell of an object, oldest first. */
  eventsOf(id: string): Promise<string[]>;
}

export async function billingWorld(): Promise<BillingWorld> {
  const world = await sandboxWorld();
  const { stripe } = world;
  const product = await stripe.products.create({ name: 'Pro' });
  const bigger = await stripe.products.create({ name: 'Enterprise' });
  const monthly = { currency: 'usd', recurring: { interval: 'month' } } as const;
  return Object.assign(world, {
    prices: {
      pro: await stripe.prices.create({ ...monthly, product: product.id, unit_amount: 4900 }),
      enterprise: await stripe.prices.create({ ...monthly, product: bigger.id, unit_amount: 19_900 }),
      yearly: await stripe.prices.create({
        product: product.id,
        currency: 'usd',
        unit_amount: 49_000,
        recurring: { interval: 'year' },
      }),
    },
    async customerAt(iso: string, card = 'pm_card_visa') {
      const clock = await stripe.testHelpers.testClocks.create({ frozen_time: seconds(iso) });
      const customer = await stripe.customers.create({
        email: 'ada@example.com',
        test_clock: clock.id,
        ...(card !== '' && { payment_method: card, invoice_settings: { default_payment_method: card } }),
      });
      return { clock: clock.id, customer: customer.id };
    },
    async useCard(customer: string, card: string) {
      const { id } = await stripe.paymentMethods.attach(card, { customer });
      await stripe.customers.update(customer, { invoice_settings: { default_payment_method: id } });
    },
    advance: async (clock: string, iso: string) => world.sandbox.advance(clock, seconds(iso)),
    async invoicesOf(customer: string) {
      const { data } = await stripe.invoices.list({ customer, limit: 100 });
      return data.toReversed();
    },
    statusOf: async (id: string) => (await stripe.subscriptions.retrieve(id)).status,
    async eventsOf(id: string) {
      const types: string[] = [];
      for await (const event of stripe.events.list({ limit: 100 })) {
        if ((event.data.object as { id?: string }).id === id) types.unshift(event.type);
      }
      return types;
    },
  });
}

/** When a subscription's period ends. */
export function endOf(subscription: Stripe.Subscription): string {
  return new Date((subscription.items.data[0]?.current_period_end ?? 0) * 1000).toISOString();
}

export function itemOf(subscription: Stripe.Subscription): string {
  return subscription.items.data[0]?.id ?? '';
}

/** The id of what may be expanded. */
export function idOf(reference: string | { id: string } | null | undefined): string {
  return typeof reference === 'string' ? reference : (reference?.id ?? '');
}
