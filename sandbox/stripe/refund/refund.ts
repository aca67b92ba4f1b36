import { z } from 'zod';

import { invalid } from '../errors.js';
import { changedMetadata, expand, integer, isWithin, metadata, range, text } from '../http/form.js';
import { listing, retrieval } from '../http/list.js';
import { existing, operation } from '../http/operation.js';
import { moneyText } from '../invoice/money.js';
import { chargeOf } from '../payment/charge.js';
import { newId } from '../store/ids.js';
import type { Charge, Refund } from '../store/stored.js';
import type { World } from '../world.js';

const path = '/v1/refunds';

export const refundOperations = [
  operation(
    'POST',
    path,
    z.strictObject({
      amount: integer.optional(),
      charge: text.optional(),
      expand,
      metadata: metadata.optional(),
      payment_intent: text.optional(),
      reason: z.enum(['duplicate', 'fraudulent', 'requested_by_customer']).optional(),
    }),
    (world, wanted) => {
      const { charge: id, payment_intent: intent } = wanted;
      if ((id === undefined) === (intent === undefined))
        throw invalid(
          'One of the following params should be provided for this request: payment_intent or charge.',
        );
      const charge =
        id === undefined
          ? chargeOf(world, existing(world, 'payment_intent', intent ?? '', 'payment_intent'))
          : existing(world, 'charge', id, 'charge');
      if (!charge?.captured)
        throw invalid(
          `This PaymentIntent (${intent ?? charge?.payment_intent}) does not have a successful charge to refund.`,
          intent === undefined ? 'charge' : 'payment_intent',
        );
      return refund(world, charge, wanted.amount ?? left(charge), {
        reason: wanted.reason ?? null,
        metadata: changedMetadata({}, wanted.metadata),
      });
    },
  ),
  retrieval('refund', path),
  listing(
    'refund',
    path,
    { charge: text.optional(), created: range.optional(), payment_intent: text.optional() },
    (one, { charge, created, payment_intent: intent }) =>
      isWithin(one.created, created) &&
      (charge === undefined || one.charge === charge) &&
      (intent === undefined || one.payment_intent === intent),
  ),
];

const left = ({ amount_captured: taken, amount_refunded: gone }: Charge): number => taken - gone;

/** Gives a part of a charge back to its card. */
export function refund(
  world: World,
  before: Charge,
  amount: number,
  fields: Partial<Pick<Refund, 'reason' | 'metadata'>> = {},
): Refund {
  if (left(before) === 0)
    throw invalid(`Charge ${before.id} has already been refunded.`, undefined, 'charge_already_refunded');
  if (amount < 1 || amount > left(before))
    throw invalid(
      `Refund amount (${moneyText(amount, before.currency)}) is greater than unrefunded amount on charge (${moneyText(left(before), before.currency)})`,
      'amount',
    );
  const refunded = before.amount_refunded + amount;
  const made = world.store.put('refund', {
    id: newId('refund'),
    object: 'refund',
    amount,
    balance_transaction: null,
    charge: before.id,
    created: world.nowFor(before.customer === null ? null : String(before.customer)),
    currency: before.currency,
    customer: before.customer,
    customer_account: null,
    destination_details: { card: { type: 'refund' }, type: 'card' } as unknown as NonNullable<
      Refund['destination_details']
    >,
    metadata: {},
    payment_intent: before.payment_intent,
    payment_method: before.payment_method,
    reason: null,
    receipt_number: null,
    source_transfer_reversal: null,
    status: 'succeeded',
    transfer_reversal: null,
    ...fields,
  });
  const charge = world.store.change('charge', before.id, {
    amount_refunded: refunded,
    refunded: refunded === before.amount_captured,
  });
  world.emit('refund.created', made);
  world.emit('charge.refunded', charge, before);
  return made;
}
