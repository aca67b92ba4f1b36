import { z } from 'zod';

import { recurringPrice } from '../catalogue/price.js';
import { invalid } from '../errors.js';
import {
  changedMetadata,
  expand,
  flag,
  integer,
  isWithin,
  metadata,
  pageParameters,
  range,
  text,
} from '../http/form.js';
import { listing, retrieval } from '../http/list.js';
import { existing, inPath, operation, page } from '../http/operation.js';
import { sum } from '../invoice/lines.js';
import { newId, randomText } from '../store/ids.js';
import type { CheckoutSession } from '../store/stored.js';
import { trialSettings } from '../subscription/parameters.js';
import type { World } from '../world.js';
import { expireSession } from './expire.js';

const path = '/v1/checkout/sessions';
const shortestSeconds = 30 * 60;

const creation = z.strictObject({
  allow_promotion_codes: flag.optional(),
  cancel_url: text.optional(),
  client_reference_id: text.optional(),
  customer: text.optional(),
  customer_email: text.optional(),
  discounts: z
    .array(z.strictObject({ coupon: text }))
    .max(1)
    .optional(),
  expand,
  expires_at: integer.optional(),
  line_items: z.array(z.strictObject({ price: text, quantity: integer.optional() })).min(1),
  locale: text.optional(),
  metadata: metadata.optional(),
  mode: z.enum(['subscription']),
  payment_method_collection: z.enum(['always', 'if_required']).optional(),
  payment_method_types: z.array(z.enum(['card'])).optional(),
  subscription_data: z
    .strictObject({
      description: text.optional(),
      metadata: metadata.optional(),
      trial_end: integer.optional(),
      trial_period_days: integer.optional(),
      trial_settings: trialSettings.optional(),
    })
    .optional(),
  success_url: text,
});

/** What the subscription of a session will be, kept beside it since Stripe does not show it. */
export interface SessionPlan {
  subscription_data: z.infer<typeof creation>['subscription_data'];
}

export const checkoutOperations = [
  operation('POST', path, creation, (world, wanted) => {
    const customer =
      wanted.customer === undefined ? null : existing(world, 'customer', wanted.customer, 'customer');
    if (customer && wanted.customer_email !== undefined)
      throw invalid(
        'You may only specify one of these parameters: customer, customer_email.',
        'customer_email',
        'parameters_exclusive',
      );
    const now = world.nowFor(customer?.id ?? null);
    const expires = wanted.expires_at ?? now + world.settings.checkoutSeconds;
    if (expires < now + shortestSeconds || expires > now + 24 * 3600)
      throw invalid(
        'The `expires_at` timestamp must be between 30 minutes and 24 hours from Checkout Session creation.',
        'expires_at',
      );
    const id = newId('checkout.session');
    const session = world.store.put('checkout.session', sessionOf(world, id, wanted, now, expires));
    world.store.put('checkout_plan', {
      id: `plan of ${id}`,
      object: 'checkout_plan',
      data: { subscription_data: wanted.subscription_data },
    });
    return session;
  }),
  operation('POST', `${path}/:id/expire`, z.strictObject({ expand }), (world, _, at) => {
    const before = inPath(world, 'checkout.session', at);
    if (before.status !== 'open')
      throw invalid(
        `Only Checkout Sessions with a status in ["open"] can be expired. This Checkout Session has a status of ${before.status}.`,
      );
    return expireSession(world, before.id);
  }),
  retrieval('checkout.session', path),
  operation('GET', `${path}/:id/line_items`, z.strictObject(pageParameters), (world, pages, at) => {
    const session = inPath(world, 'checkout.session', at);
    return page(`${path}/${session.id}/line_items`, session.line_items?.data.toReversed() ?? [], pages);
  }),
  listing(
    'checkout.session',
    path,
    {
      created: range.optional(),
      customer: text.optional(),
      status: z.enum(['complete', 'expired', 'open']).optional(),
      subscription: text.optional(),
    },
    (session, { created, customer, status, subscription }) =>
      isWithin(session.created, created) &&
      (customer === undefined || session.customer === customer) &&
      (status === undefined || session.status === status) &&
      (subscription === undefined || session.subscription === subscription),
  ),
];

function sessionOf(
  world: World,
  id: string,
  wanted: z.infer<typeof creation>,
  now: number,
  expires: number,
): CheckoutSession {
  const lines = wanted.line_items.map(({ price: priceId, quantity = 1 }, index) => {
    const price = recurringPrice(world, priceId, `line_items[${index}][price]`);
    const amount = (price.unit_amount ?? 0) * quantity;
    const product = world.store.get('product', String(price.product));
    return {
      id: `li_1${randomText(23)}`,
      object: 'item' as const,
      adjustable_quantity: null,
      amount_discount: 0,
      amount_subtotal: amount,
      amount_tax: 0,
      amount_total: amount,
      currency: price.currency,
      description: product?.name ?? null,
      metadata: {},
      price,
      quantity,
    };
  });
  const data = wanted.subscription_data ?? {};
  const isTrial = data.trial_period_days !== undefined || data.trial_end !== undefined;
  const subtotal = isTrial ? 0 : sum(lines.map((line) => line.amount_subtotal));
  return {
    id,
    object: 'checkout.session',
    adaptive_pricing: { enabled: false },
    after_expiration: null,
    allow_promotion_codes: wanted.allow_promotion_codes ?? null,
    allowed_payment_method_types: null,
    amount_subtotal: subtotal,
    amount_total: subtotal,
    automatic_tax: { enabled: false, liability: null, provider: null, status: null },
    billing_address_collection: null,
    cancel_url: wanted.cancel_url ?? null,
    client_reference_id: wanted.client_reference_id ?? null,
    client_secret: null,
    collected_information: null,
    consent: null,
    consent_collection: null,
    created: now,
    currency: lines[0]?.currency ?? null,
    currency_conversion: null,
    custom_fields: [],
    custom_text: {
      after_submit: null,
      shipping_address: null,
      submit: null,
      terms_of_service_acceptance: null,
    },
    customer: wanted.customer ?? null,
    customer_account: null,
    customer_creation: wanted.customer === undefined ? 'always' : null,
    customer_details: null,
    customer_email: wanted.customer_email ?? null,
    discounts: (wanted.discounts ?? []).map(({ coupon }) => ({
      coupon: existing(world, 'coupon', coupon, 'discounts[0][coupon]').id,
      promotion_code: null,
    })),
    expires_at: expires,
    integration_identifier: null,
    invoice: null,
    invoice_creation: null,
    line_items: { object: 'list', data: lines, has_more: false, url: `${path}/${id}/line_items` },
    livemode: false,
    locale: (wanted.locale as CheckoutSession['locale']) ?? null,
    managed_payments: null,
    metadata: changedMetadata({}, wanted.metadata),
    mode: 'subscription',
    origin_context: null,
    payment_intent: null,
    payment_link: null,
    payment_method_collection: wanted.payment_method_collection ?? 'always',
    payment_method_configuration_details: null,
    payment_method_options: {
      card: { request_three_d_secure: 'automatic' },
    } as CheckoutSession['payment_method_options'],
    payment_method_types: ['card'],
    payment_status: 'unpaid',
    permissions: null,
    phone_number_collection: { enabled: false },
    recovered_from: null,
    saved_payment_method_options: null,
    setup_intent: null,
    shipping_address_collection: null,
    shipping_cost: null,
    shipping_options: [],
    status: 'open',
    submit_type: null,
    subscription: null,
    success_url: wanted.success_url,
    total_details: { amount_discount: 0, amount_shipping: 0, amount_tax: 0 },
    ui_mode: 'hosted_page',
    url: `${world.pageUrl()}/_sandbox/pages/checkout/${id}`,
    wallet_options: null,
  };
}
