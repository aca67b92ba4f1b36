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
  return subscription.pause_collection ? holdBack(world, invoice, subscription.pause_collection) : invoice;
}

/** What becomes of an invoice while nothing is collected for its subscription. */
function holdBack(
  world: World,
  invoice: Invoice,
  { behavior }: NonNullable<Subscription['pause_collection']>,
): Invoice {
  const now = world.nowFor(String(invoice.customer));
  const stopped = { auto_advance: false, automatically_finalizes_at: null, next_payment_attempt: null };
  if (behavior === 'keep_as_draft') return world.store.change('invoice', invoice.id, stopped);
  const isVoid = behavior === 'void';
  const after = world.store.change('invoice', invoice.id, {
    ...stopped,
    status: isVoid ? 'void' : 'uncollectible',
    status_transitions: {
      ...invoice.status_transitions,
      finalized_at: now,
      ...(isVoid ? { voided_at: now } : { marked_uncollectible_at: now }),
    },
  });
  world.emit(isVoid ? 'invoice.voided' : 'invoice.marked_uncollectible', after);
  return after;
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
  // Held back, as nothing is collected.
  if (invoice.status !== 'draft' || !invoice.auto_advance) return { invoice };
  const open = finalizeInvoice(world, invoice.id);
  if (open.status === 'paid' || open.collection_method === 'send_invoice') return { invoice: open };
  if (behavior === 'default_incomplete') {
    const waiting = world.store.change('invoice', open.id, { next_payment_attempt: null });
    return { invoice: waiting };
  }
  const result = payInvoice(world, open, { isAutomatic: true });
  return result.isPaid ? { invoice: result.invoice } : { invoice: result.invoice, error: result.error };
}
