import { invalid } from '../errors.js';
import { paymentOf, settle } from '../invoice/finalize.js';
import { stopPayment } from '../invoice/void.js';
import { chargeOf } from '../payment/charge.js';
import { refund } from '../refund/refund.js';
import type { Invoice, Refund } from '../store/stored.js';
import type { World } from '../world.js';

/** How money that was paid goes back: as credit for the next invoices, to the card, or by other ways than Stripe. */
export interface PaidBack {
  balance: number;
  refund: number;
  outside: number;
}

/** Of an invoice that is not paid yet there is less to pay; where nothing is left, it is paid by that. */
export function creditOpen(world: World, before: Invoice, amount: number, back: PaidBack): Refund[] {
  if (amount > before.amount_remaining) throw tooMuch(before.amount_remaining);
  if (back.balance + back.refund + back.outside > 0)
    throw invalid(
      'The invoice is not paid: there is nothing to credit or refund beyond what is due.',
      'amount',
    );
  const remaining = before.amount_remaining - amount;
  const after = world.store.change('invoice', before.id, {
    amount_due: before.amount_due - amount,
    amount_remaining: remaining,
    pre_payment_credit_notes_amount: before.pre_payment_credit_notes_amount + amount,
  });
  world.emit('invoice.updated', after, before);
  if (remaining === 0) {
    stopPayment(world, after);
    settle(world, after);
    return [];
  }
  const payment = paymentOf(world, before.id);
  if (payment) {
    world.store.change('invoice_payment', payment.id, { amount_requested: remaining });
    world.store.change('payment_intent', String(payment.payment.payment_intent), { amount: remaining });
  }
  return [];
}

/** What was paid goes back in the ways that are named. */
export function creditPaid(world: World, before: Invoice, amount: number, back: PaidBack): Refund[] {
  const { balance, refund: toCard, outside } = back;
  if (Math.min(balance, toCard, outside) < 0 || balance + toCard + outside !== amount)
    throw invalid(
      `The sum of credit_amount, refund_amount and out_of_band_amount (${balance + toCard + outside}) must equal the credit note amount (${amount}).`,
      'amount',
    );
  const left = before.total - before.post_payment_credit_notes_amount - refundedBeside(world, before);
  if (amount > left) throw tooMuch(left);
  const refunds: Refund[] = [];
  if (toCard > 0) {
    const intent = world.store.get(
      'payment_intent',
      String(paymentOf(world, before.id)?.payment.payment_intent),
    );
    const charge = intent && chargeOf(world, intent);
    if (!charge)
      throw invalid('This invoice was not paid by a charge that can be refunded.', 'refund_amount');
    refunds.push(refund(world, charge, toCard));
  }
  if (balance > 0) {
    const customer = world.store.get('customer', String(before.customer));
    if (customer) {
      const credited = world.store.change('customer', customer.id, { balance: customer.balance - balance });
      world.emit('customer.updated', credited, customer);
    }
  }
  const after = world.store.change('invoice', before.id, {
    post_payment_credit_notes_amount: before.post_payment_credit_notes_amount + amount,
  });
  world.emit('invoice.updated', after, before);
  return refunds;
}

/** What was refunded without a credit note. */
function refundedBeside(world: World, { id }: Invoice): number {
  const payment = paymentOf(world, id);
  const noted = new Set(
    world.store
      .all('credit_note')
      .filter((note) => note.invoice === id)
      .flatMap((note) => note.refunds.map((each) => String(each.refund))),
  );
  return world.store
    .all('refund')
    .filter((each) => each.payment_intent === payment?.payment.payment_intent && !noted.has(each.id))
    .reduce((sum, each) => sum + each.amount, 0);
}

const tooMuch = (left: number): Error =>
  invalid(`The credit note amount may not be greater than what is left of the invoice (${left}).`, 'amount');
