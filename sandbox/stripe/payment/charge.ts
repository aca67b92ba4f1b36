import { cardOf, emptyAddress } from '../customer/payment-method.js';
import { disputeCharge } from '../dispute/dispute.js';
import type { StripeError } from '../errors.js';
import { isWithin, range, text } from '../http/form.js';
import { listing, retrieval } from '../http/list.js';
import { newId } from '../store/ids.js';
import type { Charge, PaymentIntent, PaymentMethod } from '../store/stored.js';
import type { World } from '../world.js';

const path = '/v1/charges';

export const chargeOperations = [
  retrieval('charge', path),
  listing(
    'charge',
    path,
    { created: range.optional(), customer: text.optional(), payment_intent: text.optional() },
    (charge, { created, customer, payment_intent: intent }) =>
      isWithin(charge.created, created) &&
      (customer === undefined || charge.customer === customer) &&
      (intent === undefined || charge.payment_intent === intent),
  ),
];

/** What became of one attempt to take an intent's money from a card. */
export function makeCharge(
  world: World,
  intent: PaymentIntent,
  method: PaymentMethod,
  refusal?: StripeError,
): Charge {
  const { amount, customer } = intent;
  const isCaptured = !refusal && intent.capture_method !== 'manual';
  const charge = world.store.put('charge', {
    id: newId('charge'),
    object: 'charge',
    amount,
    amount_captured: isCaptured ? amount : 0,
    amount_refunded: 0,
    application: null,
    application_fee: null,
    application_fee_amount: null,
    balance_transaction: null,
    billing_details: { ...method.billing_details, address: method.billing_details.address ?? emptyAddress },
    calculated_statement_descriptor: null,
    captured: isCaptured,
    created: world.nowFor(customer === null ? null : String(customer)),
    currency: intent.currency,
    customer,
    description: intent.description,
    disputed: false,
    failure_balance_transaction: null,
    failure_code: refusal?.fields.code ?? null,
    failure_message: refusal?.message ?? null,
    fraud_details: {},
    livemode: false,
    metadata: intent.metadata,
    on_behalf_of: null,
    outcome: {
      advice_code: null,
      network_advice_code: null,
      network_decline_code: null,
      network_status: refusal ? 'declined_by_network' : 'approved_by_network',
      reason: refusal?.fields.decline_code ?? null,
      risk_level: 'normal',
      seller_message: refusal ? 'The bank did not return any further details.' : 'Payment complete.',
      type: refusal ? 'issuer_declined' : 'authorized',
    },
    paid: !refusal,
    payment_intent: intent.id,
    payment_method: method.id,
    payment_method_details: {
      card: method.card,
      type: 'card',
    } as unknown as Charge['payment_method_details'],
    receipt_email: intent.receipt_email,
    receipt_number: null,
    receipt_url: null,
    refunded: false,
    review: null,
    shipping: null,
    source: null,
    source_transfer: null,
    statement_descriptor: null,
    statement_descriptor_suffix: null,
    status: refusal ? 'failed' : 'succeeded',
    transfer_data: null,
    transfer_group: null,
  });
  world.emit(refusal ? 'charge.failed' : 'charge.succeeded', charge);
  const { outcome } = cardOf(method);
  if (!isCaptured || (outcome !== 'disputed' && outcome !== 'inquired')) return charge;
  return disputeCharge(world, charge, outcome === 'disputed' ? 'chargeback' : 'inquiry');
}

/** The charge that has paid an intent. */
export function chargeOf(world: World, intent: PaymentIntent): Charge | undefined {
  return world.store.get('charge', String(intent.latest_charge));
}
