import { createHash } from 'node:crypto';

import { z } from 'zod';

import { invalid, missing, StripeError } from '../errors.js';
import { address, changedMetadata, expand, integer, metadata, text, unsettableText } from '../http/form.js';
import { listing, retrieval } from '../http/list.js';
import { existing, given, inPath, operation } from '../http/operation.js';
import { newId } from '../store/ids.js';
import type { PaymentMethod } from '../store/stored.js';
import type { World } from '../world.js';
import { cardEnding, cardNumbered, testCards, type TestCard } from './cards.js';

const path = '/v1/payment_methods';

export const emptyAddress = {
  city: null,
  country: null,
  line1: null,
  line2: null,
  postal_code: null,
  state: null,
};

function makePaymentMethod(world: World, card: TestCard, fields: Partial<PaymentMethod> = {}): PaymentMethod {
  const last4 = card.number.slice(-4);
  const year = new Date(world.now(null) * 1000).getUTCFullYear();
  return world.store.put('payment_method', {
    id: newId('payment_method'),
    object: 'payment_method',
    allow_redisplay: 'unspecified',
    billing_details: {
      address: emptyAddress,
      email: null,
      name: null,
      phone: null,
      tax_id: null,
    },
    card: {
      brand: card.brand,
      checks: { address_line1_check: null, address_postal_code_check: null, cvc_check: 'pass' },
      country: 'US',
      display_brand: card.brand,
      exp_month: 12,
      exp_year: year + 4,
      fingerprint: createHash('sha256').update(card.number).digest('base64url').slice(0, 16),
      funding: 'credit',
      generated_from: null,
      last4,
      networks: { available: [card.brand], preferred: null },
      regulated_status: 'unregulated',
      three_d_secure_usage: { supported: true },
      wallet: null,
    },
    created: world.now(null),
    customer: null,
    customer_account: null,
    livemode: false,
    metadata: {},
    type: 'card',
    ...fields,
  });
}

export function cardOf(method: PaymentMethod): TestCard {
  return cardEnding(method.card?.last4 ?? '');
}

/** The error of a card that refuses, as all answers about it have it. */
export function cardError(card: TestCard, method?: PaymentMethod): StripeError {
  return new StripeError(402, 'card_error', card.message ?? 'Your card was declined.', {
    ...(card.code !== undefined && { code: card.code }),
    ...(card.decline_code !== undefined && {
      decline_code: card.decline_code,
      advice_code: 'try_again_later',
    }),
    ...(method && { payment_method: method }),
  });
}

/** A saved payment method, or a new one of the test card that `pm_card_...` names. */
export function paymentMethodNamed(world: World, id: string, param: string): PaymentMethod {
  const card = id.startsWith('pm_card_') ? testCards[id.slice('pm_card_'.length)] : undefined;
  return card ? makePaymentMethod(world, card) : existing(world, 'payment_method', id, param);
}

/** Saves a payment method for a customer. */
export function attach(world: World, method: PaymentMethod, customer: string): PaymentMethod {
  if (method.customer === customer) return method;
  if (method.customer !== null)
    throw invalid(
      'The payment method you provided has already been attached to a customer.',
      'payment_method',
      'payment_method_already_attached',
    );
  const card = cardOf(method);
  if (card.outcome === 'declined') throw cardError(card);
  const after = world.store.change('payment_method', method.id, { customer });
  world.emit('payment_method.attached', after);
  return after;
}

/** The payment method for a customer's parameter: theirs already, or a test card that is saved for them now. */
export function methodFor(world: World, id: string, customer: string, param: string): PaymentMethod {
  const method = paymentMethodNamed(world, id, param);
  if (id.startsWith('pm_card_')) return attach(world, method, customer);
  if (method.customer !== customer)
    throw invalid(
      `The customer does not have a payment method with the ID ${id}. The payment method must be attached to the customer.`,
      param,
      'resource_missing',
    );
  return method;
}

const billingDetails = z.strictObject({
  address: address.optional(),
  email: unsettableText.optional(),
  name: unsettableText.optional(),
  phone: unsettableText.optional(),
});

function cardGiven(card: { token?: string | undefined; number?: string | undefined } | undefined): TestCard {
  const { token, number } = card ?? {};
  if (number !== undefined) {
    const known = cardNumbered(number.replaceAll(' ', ''));
    if (!known)
      throw new StripeError(402, 'card_error', 'Your card number is incorrect.', {
        code: 'incorrect_number',
        param: 'number',
      });
    return known;
  }
  if (token === undefined) throw invalid('Missing required param: card.', 'card', 'parameter_missing');
  const known = token.startsWith('tok_') ? testCards[token.slice('tok_'.length)] : undefined;
  if (!known) throw missing('token', token, 'card[token]');
  return known;
}

export const paymentMethodOperations = [
  operation(
    'POST',
    path,
    z.strictObject({
      billing_details: billingDetails.optional(),
      card: z
        .strictObject({
          cvc: text.optional(),
          exp_month: integer.optional(),
          exp_year: integer.optional(),
          number: text.optional(),
          token: text.optional(),
        })
        .optional(),
      expand,
      metadata: metadata.optional(),
      type: z.enum(['card']),
    }),
    (world, { card, billing_details: details, metadata: data }) => {
      const made = makePaymentMethod(world, cardGiven(card), { metadata: changedMetadata({}, data) });
      return world.store.put('payment_method', withDetails(made, details));
    },
  ),
  operation(
    'POST',
    `${path}/:id`,
    z.strictObject({ billing_details: billingDetails.optional(), expand, metadata: metadata.optional() }),
    (world, { billing_details: details, metadata: data }, at) => {
      const before = inPath(world, 'payment_method', at);
      const after = world.store.put('payment_method', {
        ...withDetails(before, details),
        metadata: changedMetadata(before.metadata, data),
      });
      world.emit('payment_method.updated', after, before);
      return after;
    },
  ),
  operation(
    'POST',
    `${path}/:id/attach`,
    z.strictObject({ customer: text, expand }),
    (world, { customer }, at) => {
      existing(world, 'customer', customer, 'customer');
      return attach(world, paymentMethodNamed(world, at['id'] ?? '', 'payment_method'), customer);
    },
  ),
  operation('POST', `${path}/:id/detach`, z.strictObject({ expand }), (world, _, at) => {
    const before = inPath(world, 'payment_method', at);
    if (typeof before.customer !== 'string')
      throw invalid(
        'The payment method you provided is not attached to a customer so detachment is impossible.',
        'payment_method',
      );
    const owner = existing(world, 'customer', before.customer);
    if (owner.invoice_settings.default_payment_method === before.id) {
      const settings = { ...owner.invoice_settings, default_payment_method: null };
      world.emit(
        'customer.updated',
        world.store.change('customer', owner.id, { invoice_settings: settings }),
        owner,
      );
    }
    for (const subscription of world.store.all('subscription')) {
      if (subscription.default_payment_method === before.id)
        world.store.change('subscription', subscription.id, { default_payment_method: null });
    }
    const after = world.store.change('payment_method', before.id, { customer: null });
    world.emit('payment_method.detached', after, before);
    return after;
  }),
  retrieval('payment_method', path),
  listing(
    'payment_method',
    path,
    { customer: text.optional(), type: z.enum(['card']).optional() },
    (method, { customer }) => customer !== undefined && method.customer === customer,
  ),
];

function withDetails(
  method: PaymentMethod,
  details: z.infer<typeof billingDetails> | undefined,
): PaymentMethod {
  if (!details) return method;
  const { address: place, ...others } = given(details);
  const before = method.billing_details;
  const where = place === undefined ? before.address : { ...emptyAddress, ...place };
  return {
    ...method,
    billing_details: { ...before, ...others, address: where } as PaymentMethod['billing_details'],
  };
}
