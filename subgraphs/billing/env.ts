import { z } from 'zod';

import { EnvError, parseEnv, readAll, settings, type EnvSource } from '#platform/env.js';

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

const shape = {
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
};

export function billingEnv(source: EnvSource = process.env): BillingEnv {
  return readAll({ env: (from) => parseEnv(shape, from), clocks: assertTestKey }, source).env;
}

function assertTestKey(source: EnvSource): void {
  const { STRIPE_SECRET_KEY, TEST_CLOCKS } = shape;
  const { STRIPE_SECRET_KEY: key = '', TEST_CLOCKS: hasClocks } = parseEnv(
    { STRIPE_SECRET_KEY, TEST_CLOCKS },
    source,
  );
  // The stand-in's is one as well.
  if (hasClocks && !/^(sk|rk)_test_/.test(key))
    throw new EnvError(['TEST_CLOCKS: needs a test key of Stripe, which begins with sk_test_ or rk_test_']);
}
