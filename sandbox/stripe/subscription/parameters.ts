import { z } from 'zod';

import { expand, flag, integer, metadata, text, unsettable, unsettableText } from '../http/form.js';

export const items = z.array(
  z.strictObject({
    deleted: flag.optional(),
    id: text.optional(),
    metadata: metadata.optional(),
    price: text.optional(),
    quantity: integer.optional(),
  }),
);

export const newItems = z.array(
  z.strictObject({ metadata: metadata.optional(), price: text.optional(), quantity: integer.optional() }),
);

export const discounts = unsettable(
  z.array(z.strictObject({ coupon: text.optional(), discount: text.optional() })),
);

export const taxRates = unsettable(z.array(text));

export const prorationBehavior = z.enum(['always_invoice', 'create_prorations', 'none']);

export const paymentBehavior = z.enum([
  'allow_incomplete',
  'default_incomplete',
  'error_if_incomplete',
  'pending_if_incomplete',
]);

export const cancellationDetails = z.strictObject({
  comment: unsettableText.optional(),
  feedback: unsettable(
    z.enum([
      'customer_service',
      'low_quality',
      'missing_features',
      'other',
      'switched_service',
      'too_complex',
      'too_expensive',
      'unused',
    ]),
  ).optional(),
});

export const nowOr = z.union([z.literal('now'), integer]);

/** Whether a new cycle begins now. Before this version of the API it was one word. */
export const cycleAnchor = z.strictObject({ type: z.enum(['now', 'unchanged']) });

const paymentSettings = z.strictObject({
  payment_method_types: z.array(z.enum(['card'])).optional(),
  save_default_payment_method: z.enum(['off', 'on_subscription']).optional(),
});

export const trialSettings = z.strictObject({
  end_behavior: z.strictObject({ missing_payment_method: z.enum(['cancel', 'create_invoice', 'pause']) }),
});

/** What may be given when a subscription is made and when it is changed. */
const shared = {
  cancel_at_period_end: flag.optional(),
  collection_method: z.enum(['charge_automatically', 'send_invoice']).optional(),
  days_until_due: integer.optional(),
  default_payment_method: text.optional(),
  default_tax_rates: taxRates.optional(),
  description: unsettableText.optional(),
  discounts: discounts.optional(),
  expand,
  metadata: metadata.optional(),
  off_session: flag.optional(),
  payment_behavior: paymentBehavior.optional(),
  payment_settings: paymentSettings.optional(),
  proration_behavior: prorationBehavior.optional(),
  trial_end: nowOr.optional(),
  trial_settings: trialSettings.optional(),
};

export const creation = z.strictObject({
  ...shared,
  billing_cycle_anchor: integer.optional(),
  billing_mode: z.strictObject({ type: z.enum(['classic', 'flexible']) }).optional(),
  cancel_at: integer.optional(),
  currency: text.optional(),
  customer: text,
  items: newItems,
  trial_period_days: integer.optional(),
});

export const change = z.strictObject({
  ...shared,
  billing_cycle_anchor: cycleAnchor.optional(),
  cancel_at: unsettable(integer).optional(),
  cancellation_details: cancellationDetails.optional(),
  items: items.optional(),
  pause_collection: unsettable(
    z.strictObject({
      behavior: z.enum(['keep_as_draft', 'mark_uncollectible', 'void']),
    }),
  ).optional(),
  proration_date: integer.optional(),
});

export const cancellation = z.strictObject({
  cancellation_details: cancellationDetails.optional(),
  expand,
  invoice_now: flag.optional(),
  prorate: flag.optional(),
});

export const resumption = z.strictObject({
  billing_cycle_anchor: cycleAnchor.optional(),
  expand,
  proration_behavior: prorationBehavior.optional(),
});

export type Creation = z.infer<typeof creation>;
export type Change = z.infer<typeof change>;

/** What a trial's end does, with Stripe's defaults. */
export function trialSettingsOf(wanted: z.infer<typeof trialSettings> | undefined): {
  end_behavior: { billing_cycle_anchor: null; missing_payment_method: 'cancel' | 'create_invoice' | 'pause' };
} {
  const missing = wanted?.end_behavior.missing_payment_method ?? 'create_invoice';
  return { end_behavior: { billing_cycle_anchor: null, missing_payment_method: missing } };
}
