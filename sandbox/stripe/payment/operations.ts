import { z } from 'zod';

import { methodFor, paymentMethodNamed } from '../customer/payment-method.js';
import { invalid } from '../errors.js';
import { changedMetadata, expand, flag, integer, isWithin, metadata, range, text } from '../http/form.js';
import { listing, retrieval } from '../http/list.js';
import { existing, inPath, operation } from '../http/operation.js';
import { payInvoice, received } from '../invoice/pay.js';
import { KeptChanges } from '../store/store.js';
import type { Invoice, PaymentIntent } from '../store/stored.js';
import type { World } from '../world.js';
import { chargeOf } from './charge.js';
import { cancelIntent, charge, makeIntent } from './intent.js';

const path = '/v1/payment_intents';

const confirmation = {
  expand,
  off_session: flag.optional(),
  payment_method: text.optional(),
  payment_method_types: z.array(z.enum(['card'])).optional(),
  return_url: text.optional(),
  setup_future_usage: z.enum(['off_session', 'on_session']).optional(),
};

export const paymentIntentOperations = [
  operation(
    'POST',
    path,
    z.strictObject({
      ...confirmation,
      amount: integer,
      capture_method: z.enum(['automatic', 'automatic_async', 'manual']).optional(),
      confirm: flag.optional(),
      confirmation_method: z.enum(['automatic', 'manual']).optional(),
      currency: text,
      customer: text.optional(),
      description: text.optional(),
      metadata: metadata.optional(),
      shipping: z.record(z.string(), z.unknown()).optional(),
    }),
    (world, wanted) => {
      if (wanted.amount < 1)
        throw invalid(
          'This value must be greater than or equal to 1.',
          'amount',
          'parameter_invalid_integer',
        );
      const customer =
        wanted.customer === undefined ? null : existing(world, 'customer', wanted.customer, 'customer').id;
      const intent = makeIntent(world, {
        ...wanted,
        currency: wanted.currency.toLowerCase(),
        customer,
        metadata: changedMetadata({}, wanted.metadata),
      });
      const shipped = wanted.shipping
        ? world.store.change('payment_intent', intent.id, {
            shipping: wanted.shipping as unknown as PaymentIntent['shipping'],
          })
        : intent;
      return wanted.confirm ? confirm(world, shipped, wanted.payment_method) : shipped;
    },
  ),
  operation('POST', `${path}/:id/confirm`, z.strictObject(confirmation), (world, wanted, at) =>
    confirm(world, inPath(world, 'payment_intent', at), wanted.payment_method),
  ),
  operation(
    'POST',
    `${path}/:id/cancel`,
    z.strictObject({
      cancellation_reason: z
        .enum(['abandoned', 'duplicate', 'fraudulent', 'requested_by_customer'])
        .optional(),
      expand,
    }),
    (world, wanted, at) => {
      const before = inPath(world, 'payment_intent', at);
      if (before.status === 'succeeded' || before.status === 'canceled')
        throw invalid(
          `You cannot cancel this PaymentIntent because it has a status of ${before.status}.`,
          undefined,
          'payment_intent_unexpected_state',
        );
      if (invoiceOf(world, before))
        throw invalid(
          'You cannot cancel a PaymentIntent that belongs to an invoice. Void the invoice instead.',
          undefined,
          'payment_intent_unexpected_state',
        );
      return cancelIntent(world, before.id, wanted.cancellation_reason ?? null);
    },
  ),
  operation('POST', `${path}/:id/capture`, z.strictObject({ expand }), (world, _, at) => {
    const before = inPath(world, 'payment_intent', at);
    if (before.status !== 'requires_capture')
      throw invalid(
        `This PaymentIntent could not be captured because it has a status of ${before.status}.`,
        undefined,
        'payment_intent_unexpected_state',
      );
    const held = chargeOf(world, before);
    if (held) {
      const taken = world.store.change('charge', held.id, { captured: true, amount_captured: held.amount });
      world.emit('charge.captured', taken);
    }
    const after = world.store.change('payment_intent', before.id, {
      status: 'succeeded',
      amount_capturable: 0,
      amount_received: before.amount,
    });
    world.emit('payment_intent.succeeded', after);
    return after;
  }),
  retrieval('payment_intent', path),
  listing(
    'payment_intent',
    path,
    { created: range.optional(), customer: text.optional() },
    (intent, { created, customer }) =>
      isWithin(intent.created, created) && (customer === undefined || intent.customer === customer),
  ),
];

/** Confirms an intent as its customer does; for one of an invoice that is paying the invoice. */
function confirm(world: World, before: PaymentIntent, methodId: string | undefined): PaymentIntent {
  if (before.status === 'succeeded' || before.status === 'canceled')
    throw invalid(
      `You cannot confirm this PaymentIntent because it has already ${before.status === 'succeeded' ? 'succeeded after being previously confirmed' : 'been canceled'}.`,
      undefined,
      'payment_intent_unexpected_state',
    );
  const id = methodId ?? before.payment_method;
  if (id === null)
    throw invalid(
      "You cannot confirm this PaymentIntent because it's missing a payment method.",
      undefined,
      'payment_intent_unexpected_state',
    );
  const method =
    before.customer === null
      ? paymentMethodNamed(world, id, 'payment_method')
      : methodFor(world, id, String(before.customer), 'payment_method');
  const invoice = invoiceOf(world, before);
  if (invoice) {
    const result = payInvoice(world, invoice, { method, isAutomatic: false });
    const after = existing(world, 'payment_intent', before.id);
    if (!result.isPaid && after.status !== 'requires_action') throw new KeptChanges(result.error);
    return after;
  }
  const result = charge(world, before, method, false);
  if (result.outcome === 'declined') throw new KeptChanges(result.error);
  return result.intent;
}

/** A customer has confirmed on a page what their card asked for. */
export function confirmOnPage(world: World, id: string): PaymentIntent {
  const intent = existing(world, 'payment_intent', id);
  const method =
    intent.payment_method === null ? undefined : world.store.get('payment_method', intent.payment_method);
  if (intent.status !== 'requires_action' || !method) return intent;
  const result = charge(world, intent, method, true);
  const invoice = invoiceOf(world, intent);
  if (result.outcome === 'paid' && invoice) received(world, invoice, result.intent);
  return result.intent;
}

function invoiceOf(world: World, { id }: PaymentIntent): Invoice | undefined {
  const payment = world.store
    .all('invoice_payment')
    .find((one) => one.payment.payment_intent === id && one.status === 'open');
  return payment && world.store.get('invoice', String(payment.invoice));
}
