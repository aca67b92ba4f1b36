import { z } from 'zod';

import { expand, integer, metadata, text } from '../http/form.js';
import { discounts, nowOr, prorationBehavior, taxRates } from '../subscription/parameters.js';

const phase = {
  default_payment_method: text.optional(),
  default_tax_rates: taxRates.optional(),
  description: text.optional(),
  discounts: discounts.optional(),
  duration: z
    .strictObject({ interval: z.enum(['day', 'week', 'month', 'year']), interval_count: integer.optional() })
    .optional(),
  end_date: nowOr.optional(),
  items: z
    .array(z.strictObject({ metadata: metadata.optional(), price: text, quantity: integer.optional() }))
    .min(1),
  /** Of versions of the API before this one; Stripe's CLI still sends it. */
  iterations: integer.optional(),
  metadata: metadata.optional(),
  proration_behavior: prorationBehavior.optional(),
  trial_end: integer.optional(),
};

const changedPhase = z.strictObject({ ...phase, start_date: nowOr.optional() });

const endBehavior = z.enum(['cancel', 'release']);

export const scheduleCreation = z.strictObject({
  customer: text.optional(),
  end_behavior: endBehavior.optional(),
  expand,
  from_subscription: text.optional(),
  metadata: metadata.optional(),
  phases: z.array(z.strictObject(phase)).optional(),
  start_date: nowOr.optional(),
});

export const scheduleChange = z.strictObject({
  end_behavior: endBehavior.optional(),
  expand,
  metadata: metadata.optional(),
  phases: z.array(changedPhase).optional(),
  proration_behavior: prorationBehavior.optional(),
});

export type WantedPhase = z.infer<typeof changedPhase>;
