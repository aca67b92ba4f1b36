import { cardError, cardOf } from '../customer/payment-method.js';
import { StripeError } from '../errors.js';
import { newId, randomText } from '../store/ids.js';
import type { PaymentIntent, PaymentMethod } from '../store/stored.js';
import type { World } from '../world.js';
import { makeCharge } from './charge.js';

interface NewIntent {
  amount: number;
  currency: string;
  customer: string | null;
  description?: string | null | undefined;
  metadata?: Record<string, string>;
  capture_method?: PaymentIntent['capture_method'] | undefined;
  confirmation_method?: PaymentIntent['confirmation_method'] | undefined;
  receipt_email?: string | null | undefined;
  setup_future_usage?: PaymentIntent['setup_future_usage'] | undefined;
}

export function makeIntent(world: World, wanted: NewIntent): PaymentIntent {
  const id = newId('payment_intent');
  const intent = world.store.put('payment_intent', {
    id,
    object: 'payment_intent',
    allowed_payment_method_types: null,
    amount: wanted.amount,
    amount_capturable: 0,
    amount_details: { tip: {} },
    amount_received: 0,
    application: null,
    application_fee_amount: null,
    automatic_payment_methods: null,
    canceled_at: null,
    cancellation_reason: null,
    capture_method: wanted.capture_method ?? 'automatic',
    client_secret: `${id}_secret_${randomText(25)}`,
    confirmation_method: wanted.confirmation_method ?? 'automatic',
    created: world.nowFor(wanted.customer),
    currency: wanted.currency,
    customer: wanted.customer,
    customer_account: null,
    description: wanted.description ?? null,
    excluded_payment_method_types: null,
    last_payment_error: null,
    latest_charge: null,
    livemode: false,
    managed_payments: null,
    metadata: wanted.metadata ?? {},
    next_action: null,
    on_behalf_of: null,
    payment_method: null,
    payment_method_configuration_details: null,
    payment_method_options: {
      card: { installments: null, mandate_options: null, network: null, request_three_d_secure: 'automatic' },
    } as PaymentIntent['payment_method_options'],
    payment_method_types: ['card'],
    payment_record: null,
    processing: null,
    receipt_email: wanted.receipt_email ?? null,
    review: null,
    setup_future_usage: wanted.setup_future_usage ?? null,
    shipping: null,
    source: null,
    statement_descriptor: null,
    statement_descriptor_suffix: null,
    status: 'requires_payment_method',
    transfer_data: null,
    transfer_group: null,
  });
  world.emit('payment_intent.created', intent);
  return intent;
}

export type ChargeResult =
  | { outcome: 'paid'; intent: PaymentIntent }
  | { outcome: 'declined'; intent: PaymentIntent; error: StripeError }
  | { outcome: 'asks'; intent: PaymentIntent };

/**
 * Charges a card for an intent. A card that asks for its owner waits for them; once they have confirmed on a page
 * (`isConfirmed`), it pays.
 */
export function charge(
  world: World,
  { id }: PaymentIntent,
  method: PaymentMethod,
  isConfirmed: boolean,
): ChargeResult {
  const card = cardOf(method);
  const before = world.store.get('payment_intent', id);
  if (!before) throw new Error(`there is no payment intent ${id}`);
  if (card.outcome === 'asks' && !isConfirmed) {
    const intent = world.store.change('payment_intent', id, {
      status: 'requires_action',
      payment_method: method.id,
      next_action: {
        type: 'use_stripe_sdk',
        use_stripe_sdk: {
          type: 'three_d_secure_redirect',
          stripe_js: `${world.pageUrl()}/_sandbox/pages/confirm/${id}`,
        },
      },
    } as Partial<PaymentIntent>);
    world.emit('payment_intent.requires_action', intent);
    return { outcome: 'asks', intent };
  }
  if (card.outcome === 'declined' || card.outcome === 'declined_later') {
    const error = cardError(card, method);
    const { payment_method: _, ...fields } = error.fields;
    const intent = world.store.change('payment_intent', id, {
      status: 'requires_payment_method',
      payment_method: null,
      next_action: null,
      latest_charge: makeCharge(world, before, method, error).id,
      last_payment_error: {
        ...fields,
        message: error.message,
        payment_method: method,
        type: 'card_error',
      } as unknown as PaymentIntent['last_payment_error'],
    });
    world.emit('payment_intent.payment_failed', intent);
    return { outcome: 'declined', intent, error: withIntent(error, intent) };
  }
  const isManual = before.capture_method === 'manual';
  const intent = world.store.change('payment_intent', id, {
    status: isManual ? 'requires_capture' : 'succeeded',
    payment_method: method.id,
    next_action: null,
    last_payment_error: null,
    latest_charge: makeCharge(world, before, method).id,
    ...(isManual ? { amount_capturable: before.amount } : { amount_received: before.amount }),
  });
  world.emit(isManual ? 'payment_intent.amount_capturable_updated' : 'payment_intent.succeeded', intent);
  return { outcome: 'paid', intent };
}

export function withIntent(error: StripeError, intent: PaymentIntent): StripeError {
  return new StripeError(error.status, error.type, error.message, {
    ...error.fields,
    payment_intent: intent,
  });
}

export function cancelIntent(
  world: World,
  id: string,
  reason: PaymentIntent['cancellation_reason'],
): PaymentIntent {
  const before = world.store.get('payment_intent', id);
  if (!before) throw new Error(`there is no payment intent ${id}`);
  if (before.status === 'succeeded' || before.status === 'canceled') return before;
  const intent = world.store.change('payment_intent', id, {
    status: 'canceled',
    canceled_at: world.nowFor(before.customer),
    cancellation_reason: reason,
    amount_capturable: 0,
    next_action: null,
  });
  world.emit('payment_intent.canceled', intent);
  return intent;
}
