import { couponOf } from '../catalogue/discount.js';
import { invalid } from '../errors.js';
import { makeIntent } from '../payment/intent.js';
import { newId } from '../store/ids.js';
import type { Invoice, InvoicePayment } from '../store/stored.js';
import { onInvoicePaid } from '../subscription/outcome.js';
import type { World } from '../world.js';
import { due, subscriptionOf } from './make.js';

/** Makes a draft final: it gets its number, uses the customer's balance, and asks for what is left. */
export function finalizeInvoice(world: World, id: string, advances?: boolean): Invoice {
  const draft = world.store.get('invoice', id);
  if (!draft) throw new Error(`there is no invoice ${id}`);
  if (draft.status !== 'draft')
    throw invalid(
      "This invoice is already finalized, you can't re-finalize a non-draft invoice.",
      undefined,
      'invoice_not_editable',
    );
  const customer = world.store.get('customer', String(draft.customer));
  if (!customer) throw new Error(`there is no customer of invoice ${id}`);
  const now = world.nowFor(customer.id);
  const { amounts, balance } = due(draft.total, customer.balance);
  const sequence = customer.next_invoice_sequence ?? 1;
  const customerNow = world.store.change('customer', customer.id, {
    balance,
    next_invoice_sequence: sequence + 1,
    currency: customer.currency ?? draft.currency,
  });
  if (balance !== customer.balance) world.emit('customer.updated', customerNow, customer);
  const page = `${world.pageUrl()}/_sandbox/pages/invoice/${id}`;
  const isManual = advances === false || (advances === undefined && !draft.auto_advance);
  const open = world.store.change('invoice', id, {
    ...amounts,
    auto_advance: advances ?? draft.auto_advance ?? false,
    automatically_finalizes_at: null,
    next_payment_attempt: isManual || draft.collection_method === 'send_invoice' ? null : now,
    effective_at: now,
    ending_balance: balance,
    hosted_invoice_url: page,
    invoice_pdf: `${page}/pdf`,
    number: `${customer.invoice_prefix}-${String(sequence).padStart(4, '0')}`,
    starting_balance: customer.balance,
    status: 'open',
    status_transitions: { ...draft.status_transitions, finalized_at: now },
  });
  world.emit('invoice.finalized', open);
  useOnceDiscounts(world, open);
  if (open.amount_due === 0) return settle(world, open);
  const intent = makeIntent(world, {
    amount: open.amount_due,
    currency: open.currency,
    customer: customer.id,
    description:
      open.billing_reason === 'subscription_create'
        ? 'Subscription creation'
        : open.billing_reason === 'manual'
          ? `Payment for Invoice`
          : 'Subscription update',
  });
  world.store.put('invoice_payment', {
    id: newId('invoice_payment'),
    object: 'invoice_payment',
    amount_paid: null,
    amount_requested: open.amount_due,
    created: now,
    currency: open.currency,
    invoice: id,
    is_default: true,
    livemode: false,
    payment: { payment_intent: intent.id, type: 'payment_intent' },
    status: 'open',
    status_transitions: { canceled_at: null, paid_at: null },
  });
  return open;
}

/** Marks an open invoice as paid; `amount` is what came in by a payment. */
export function settle(world: World, invoice: Invoice, fields: Partial<Invoice> = {}): Invoice {
  const now = world.nowFor(String(invoice.customer));
  const paid = world.store.change('invoice', invoice.id, {
    attempted: true,
    auto_advance: false,
    amount_paid: invoice.amount_due,
    amount_remaining: 0,
    next_payment_attempt: null,
    status: 'paid',
    status_transitions: { ...invoice.status_transitions, paid_at: now },
    ...fields,
  });
  world.emit('invoice.updated', paid, invoice);
  world.emit('invoice.paid', paid);
  world.emit('invoice.payment_succeeded', paid);
  onInvoicePaid(world, paid);
  return paid;
}

export function paymentOf(world: World, invoice: string): InvoicePayment | undefined {
  return world.store
    .all('invoice_payment')
    .find((payment) => payment.invoice === invoice && payment.status !== 'canceled');
}

// A coupon for once is used up by the first invoice that it was on.
function useOnceDiscounts(world: World, invoice: Invoice): void {
  const before = world.store.get('subscription', subscriptionOf(invoice) ?? '');
  if (!before) return;
  const used = invoice.total_discount_amounts?.map(({ discount }) => String(discount)) ?? [];
  const left = before.discounts.filter((id) => {
    const discount = world.store.get('discount', id);
    return !used.includes(id) || !discount || couponOf(world, discount).duration !== 'once';
  });
  if (left.length === before.discounts.length) return;
  const after = world.store.change('subscription', before.id, { discounts: left });
  world.emit('customer.subscription.updated', after, before);
}
