import { invalid, StripeError } from '../errors.js';
import { charge, withIntent } from '../payment/intent.js';
import { day } from '../settings.js';
import type { Invoice, PaymentIntent, PaymentMethod } from '../store/stored.js';
import { onPaymentFailed, onRetriesExhausted } from '../subscription/outcome.js';
import type { World } from '../world.js';
import { paymentOf, settle } from './finalize.js';
import { subscriptionOf } from './make.js';

export type PayResult =
  | { isPaid: true; invoice: Invoice }
  | { isPaid: false; invoice: Invoice; error: StripeError };

export interface PayOptions {
  method?: PaymentMethod | undefined;
  /** Time's own attempt, which the retry schedule counts. */
  isAutomatic: boolean;
  /** The owner of a card that asks has said yes on a page. */
  isConfirmed?: boolean;
}

/** How an invoice is paid unless somebody says otherwise. */
export function defaultMethod(world: World, invoice: Invoice): PaymentMethod | undefined {
  const subscription = world.store.get('subscription', subscriptionOf(invoice) ?? '');
  const customer = world.store.get('customer', String(invoice.customer));
  const id =
    invoice.default_payment_method ??
    subscription?.default_payment_method ??
    customer?.invoice_settings.default_payment_method;
  return id == null ? undefined : world.store.get('payment_method', id);
}

/** One attempt to pay an open invoice. A refusal is kept in the books, and told in the result. */
export function payInvoice(world: World, invoice: Invoice, options: PayOptions): PayResult {
  const payment = paymentOf(world, invoice.id);
  const intent = world.store.get('payment_intent', String(payment?.payment.payment_intent));
  if (!payment || !intent) throw new Error(`the open invoice ${invoice.id} has no payment`);
  const method = options.method ?? defaultMethod(world, invoice);
  if (!method) return failed(world, invoice, noMethod(), options);
  const result = charge(world, intent, method, options.isConfirmed ?? false);
  if (result.outcome === 'declined') return failed(world, invoice, result.error, options);
  if (result.outcome === 'asks') {
    const outcome = failed(world, invoice, asks(result.intent), options);
    world.emit('invoice.payment_action_required', outcome.invoice);
    return outcome;
  }
  return { isPaid: true, invoice: received(world, invoice, result.intent, options.isAutomatic) };
}

/** Books a payment that came in for an invoice. */
export function received(
  world: World,
  invoice: Invoice,
  intent: PaymentIntent,
  isAutomatic = false,
): Invoice {
  const payment = paymentOf(world, invoice.id);
  const now = world.nowFor(String(invoice.customer));
  if (payment) {
    const paid = world.store.change('invoice_payment', payment.id, {
      amount_paid: intent.amount,
      status: 'paid',
      status_transitions: { ...payment.status_transitions, paid_at: now },
    });
    world.emit('invoice_payment.paid', paid);
  }
  saveMethod(world, invoice, intent);
  return settle(world, invoice, { attempt_count: attemptsAfter(invoice, isAutomatic) });
}

function failed(
  world: World,
  invoice: Invoice,
  error: StripeError,
  { isAutomatic }: PayOptions,
): PayResult & { isPaid: false } {
  const now = world.nowFor(String(invoice.customer));
  const count = attemptsAfter(invoice, isAutomatic);
  const wait = world.settings.retryAfterDays[count - 1];
  const retries = isRetried(invoice);
  const next = isAutomatic ? (wait === undefined ? null : now + wait * day) : invoice.next_payment_attempt;
  const after = world.store.change('invoice', invoice.id, {
    attempted: true,
    attempt_count: count,
    next_payment_attempt: retries ? next : null,
  });
  world.emit('invoice.updated', after, invoice);
  world.emit('invoice.payment_failed', after);
  onPaymentFailed(world, after);
  if (isAutomatic && retries && wait === undefined) onRetriesExhausted(world, after);
  return { isPaid: false, invoice: world.store.get('invoice', invoice.id) ?? after, error };
}

// Any attempt counts as the first one, and only automatic ones after it.
function attemptsAfter({ attempt_count: before }: Invoice, isAutomatic: boolean): number {
  return isAutomatic ? before + 1 : Math.max(1, before);
}

// First invoices wait for their customer, not for a retry.
function isRetried(invoice: Invoice): boolean {
  return Boolean(invoice.auto_advance) && invoice.billing_reason !== 'subscription_create';
}

function noMethod(): StripeError {
  return invalid(
    'This customer has no attached payment source or default payment method. Please consider adding a default payment method. For more information, visit https://stripe.com/docs/billing/subscriptions/payment-methods-setting#payment-method-priority.',
    undefined,
    'resource_missing',
  );
}

function asks(intent: PaymentIntent): StripeError {
  const error = new StripeError(
    402,
    'card_error',
    'This payment requires additional user action before it can be completed successfully. Payment can be completed using the `PaymentIntent` associated with subscription.',
    { code: 'invoice_payment_intent_requires_action' },
  );
  return withIntent(error, intent);
}

function saveMethod(world: World, invoice: Invoice, { payment_method: method }: PaymentIntent): void {
  const before = world.store.get('subscription', subscriptionOf(invoice) ?? '');
  if (!before || method === null || before.default_payment_method === method) return;
  if (before.payment_settings?.save_default_payment_method !== 'on_subscription') return;
  const after = world.store.change('subscription', before.id, { default_payment_method: method });
  world.emit('customer.subscription.updated', after, before);
}
