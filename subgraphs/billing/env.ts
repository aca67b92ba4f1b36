import { z } from 'zod';

import { parseEnv, settings, type EnvSource } from '#platform/env.js';

/** Billing's settings. */
export interface BillingEnv {
  /** Absent: the stand-in for Stripe is used. */
  STRIPE_SECRET_KEY?: string | undefined;
  /** Signs Stripe's webhooks. */
  STRIPE_WEBHOOK_SECRET?: string | undefined;
  /** Where Stripe's API is. */
  STRIPE_API_BASE: string;
}

export function billingEnv(source: EnvSource = process.env): BillingEnv {
  return parseEnv(
    {
      STRIPE_SECRET_KEY: z
        .string()
        .regex(/^(sk|rk)_/, 'must be a secret or restricted key of Stripe, which begins with sk_ or rk_')
        .optional(),
      STRIPE_WEBHOOK_SECRET: z
        .string()
        .startsWith('whsec_', 'must be the signing secret of a webhook endpoint, which begins with whsec_')
        .optional(),
      STRIPE_API_BASE: settings.url.default('https://api.stripe.com'),
    },
    source,
  );
}
