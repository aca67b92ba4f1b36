import type { StripeError } from '../errors.js';
import { finalizeInvoice } from '../invoice/finalize.js';
import type { LineDraft } from '../invoice/lines.js';
import { makeInvoice, pendingItems } from '../invoice/make.js';
import { payInvoice } from '../invoice/pay.js';
import type { Invoice, InvoiceItem, Subscription } from '../store/stored.js';
import type { Period } from '../time/cycle.js';
import type { World } from '../world.js';

export interface SubscriptionBill {
  reason: NonNullable<Invoice['billing_reason']>;
  lines: readonly LineDraft[];
  /** What waits for an invoice, unless only some of it is meant. */
  items?: readonly InvoiceItem[];
  period: Period;
  advances: boolean;
  prorationDate?: number | undefined;
}

/** A draft for a subscription, which becomes its latest invoice. */
export function billSubscription(world: World, subscription: Subscription, bill: SubscriptionBill): Invoice {
  const customer = world.store.get('customer', String(subscription.customer));
  if (!customer) throw new Error(`there is no customer of ${subscription.id}`);
  const invoice = makeInvoice(world, {
    customer,
    subscription,
    reason: bill.reason,
    currency: subscription.currency,
    lines: bill.lines,
    items: bill.items ?? pendingItems(world, customer.id, subscription.currency, subscription.id),
    discounts: subscription.discounts.map(String),
    period: bill.period,
    collection: subscription.collection_method as 'charge_automatically' | 'send_invoice',
    daysUntilDue: subscription.days_until_due,
    advances: bill.advances,
    metadata: {},
    prorationDate: bill.prorationDate,
  });
  world.store.change('subscription', subscription.id, { latest_invoice: invoice.id });
  return invoice;
}

export type PaymentBehavior =
  | 'allow_incomplete'
  | 'default_incomplete'
  | 'error_if_incomplete'
  | 'pending_if_incomplete';

/** Finalizes a draft at once and has it paid, unless its customer is to confirm the payment. A refusal is returned. */
export function collectNow(
  world: World,
  invoice: Invoice,
  behavior: PaymentBehavior,
): { invoice: Invoice; error?: StripeError } {
  const open = finalizeInvoice(world, invoice.id);
  if (open.status === 'paid' || open.collection_method === 'send_invoice') return { invoice: open };
  if (behavior === 'default_incomplete') {
    const waiting = world.store.change('invoice', open.id, { next_payment_attempt: null });
    return { invoice: waiting };
  }
  const result = payInvoice(world, open, { isAutomatic: true });
  return result.isPaid ? { invoice: result.invoice } : { invoice: result.invoice, error: result.error };
}
