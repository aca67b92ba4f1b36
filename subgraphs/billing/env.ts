import { z } from 'zod';

import { EnvError, parseEnv, settings, type EnvSource } from '#platform/env.js';

/** Billing's settings. */
export interface BillingEnv {
  /** Absent: nothing can be bought. The demo sets that of its stand-in. */
  STRIPE_SECRET_KEY?: string | undefined;
  /** Signs Stripe's webhooks. */
  STRIPE_WEBHOOK_SECRET?: string | undefined;
  /** Where Stripe's API is. */
  STRIPE_API_BASE: string;
  /** Whether tenants may advance their own time. */
  TEST_CLOCKS: boolean;
  /** Whether tenants that are suspended go on being charged; otherwise their invoices are voided. */
  CHARGE_SUSPENDED: boolean;
}

export function billingEnv(source: EnvSource = process.env): BillingEnv {
  const env = parseEnv(
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
      TEST_CLOCKS: settings.flag.default(false),
      CHARGE_SUSPENDED: settings.flag.default(false),
    },
    source,
  );
  // The stand-in's is one as well.
  const isTest = /^(sk|rk)_test_/.test(env.STRIPE_SECRET_KEY ?? '');
  if (env.TEST_CLOCKS && !isTest)
    throw new EnvError(['TEST_CLOCKS: needs a test key of Stripe, which begins with sk_test_ or rk_test_']);
  return env;
}
