import Stripe from 'stripe';

import { ApiError, OperatorError } from '#platform/errors.js';

import type { BillingEnv } from '../env.js';

/** Gives the client of Stripe; throws CONFLICT where the panel has no account with it. */
export type StripeSource = () => Stripe;

// The version that the SDK's types describe; Stripe's answers would otherwise follow the account's own.
const apiVersion = '2026-10-28.endive';

/** Longer than Stripe takes for a charge; waiting out an outage is up to jobs. */
const timeoutMs = 15_000;

/** Stripe's official client. Every call that costs money names its own idempotency key. */
export function createStripe(secretKey: string, apiBase: string): Stripe {
  const { protocol, hostname, port } = new URL(apiBase);
  return new Stripe(secretKey, {
    apiVersion,
    protocol: protocol === 'http:' ? 'http' : 'https',
    host: hostname,
    ...(port === '' ? {} : { port }),
    timeout: timeoutMs,
    maxNetworkRetries: 1,
    telemetry: false,
    appInfo: { name: 'quazzar-control-panel' },
  });
}

/** `mayAsk` throws where the account is not to be asked. */
export function stripeSource(client: Stripe | undefined, mayAsk: () => void): StripeSource {
  return () => {
    mayAsk();
    if (client) return client;
    throw new ApiError('CONFLICT', 'This panel has no payment provider', {
      reason: 'NO_PAYMENT_PROVIDER',
    });
  };
}

/** For commands of operators. */
export function requireStripe({ STRIPE_SECRET_KEY: key, STRIPE_API_BASE: apiBase }: BillingEnv): Stripe {
  if (key === undefined) throw new OperatorError('STRIPE_SECRET_KEY is required');
  return createStripe(key, apiBase);
}
