import { discountsAt } from '../catalogue/discount.js';
import { newId } from '../store/ids.js';
import type { Customer, Invoice, InvoiceItem, Subscription } from '../store/stored.js';
import type { World } from '../world.js';
import { itemLine, sumsOf, totals, type LineDraft } from './lines.js';

export interface NewInvoice {
  customer: Customer;
  subscription?: Subscription | undefined;
  reason: NonNullable<Invoice['billing_reason']>;
  currency: string;
  lines: readonly LineDraft[];
  /** Pending items that go onto it. */
  items: readonly InvoiceItem[];
  discounts: readonly string[];
  period: { start: number; end: number };
  collection?: 'charge_automatically' | 'send_invoice' | undefined;
  daysUntilDue?: number | null | undefined;
  dueDate?: number | undefined;
  /** Whether time finalizes it and charges for it. */
  advances: boolean;
  finalizesAt?: number | null | undefined;
  defaultPaymentMethod?: string | null | undefined;
  description?: string | null | undefined;
  footer?: string | null | undefined;
  metadata?: Record<string, string> | undefined;
  prorationDate?: number | undefined;
}

/** A draft. Pending items that it takes belong to it from now on. */
export function makeInvoice(world: World, wanted: NewInvoice): Invoice {
  const invoice = world.store.put('invoice', draftOf(world, newId('invoice'), wanted));
  for (const item of wanted.items) world.store.change('invoiceitem', item.id, { invoice: invoice.id });
  world.emit('invoice.created', invoice);
  return invoice;
}

/** What an invoice would be, for a preview too. */
export function draftOf(world: World, id: string, wanted: NewInvoice): Invoice {
  const { customer, subscription } = wanted;
  const now = world.nowFor(customer.id);
  const clock = world.clockOf(customer.id);
  const collection = wanted.collection ?? 'charge_automatically';
  const discounts = discountsAt(world, wanted.discounts, now);
  const lines = [...wanted.items.map((item) => itemLine(world, item)), ...wanted.lines];
  const rates = subscription?.default_tax_rates ?? [];
  const { lines: data, discountAmounts } = totals(world, id, lines, discounts, rates);
  const sums = sumsOf(data);
  const finalizesAt = wanted.advances ? (wanted.finalizesAt ?? now + world.settings.draftSeconds) : null;
  const draft: Invoice = {
    id,
    object: 'invoice',
    account_country: 'US',
    account_name: 'Stripe stand-in',
    account_tax_ids: null,
    amount_due: 0,
    amount_overpaid: 0,
    amount_paid: 0,
    amount_remaining: 0,
    amount_shipping: 0,
    application: null,
    attempt_count: 0,
    attempted: false,
    auto_advance: wanted.advances,
    automatic_tax: { disabled_reason: null, enabled: false, liability: null, provider: null, status: null },
    automatically_finalizes_at: finalizesAt,
    billing_reason: wanted.reason,
    collection_method: collection,
    created: now,
    currency: wanted.currency,
    custom_fields: null,
    customer: customer.id,
    customer_account: null,
    customer_address: customer.address ?? null,
    customer_email: customer.email,
    customer_name: customer.name ?? null,
    customer_phone: customer.phone ?? null,
    customer_shipping: null,
    customer_tax_exempt: customer.tax_exempt ?? 'none',
    customer_tax_ids: [],
    default_payment_method: wanted.defaultPaymentMethod ?? null,
    default_source: null,
    default_tax_rates: rates,
    description: wanted.description ?? null,
    discounts: discounts.map((discount) => discount.id),
    due_date:
      wanted.dueDate ?? (collection === 'send_invoice' ? now + (wanted.daysUntilDue ?? 30) * 86_400 : null),
    effective_at: null,
    ending_balance: null,
    footer: wanted.footer ?? customer.invoice_settings.footer,
    from_invoice: null,
    hosted_invoice_url: null,
    invoice_pdf: null,
    issuer: { type: 'self' },
    last_finalization_error: null,
    latest_revision: null,
    lines: { object: 'list', data, has_more: false, url: `/v1/invoices/${id}/lines` },
    livemode: false,
    metadata: wanted.metadata ?? {},
    next_payment_attempt: collection === 'charge_automatically' ? finalizesAt : null,
    number: null,
    on_behalf_of: null,
    parent: subscription
      ? {
          quote_details: null,
          subscription_details: {
            metadata: subscription.metadata,
            subscription: subscription.id,
            ...(wanted.prorationDate !== undefined && { subscription_proration_date: wanted.prorationDate }),
          },
          type: 'subscription_details',
        }
      : null,
    payment_settings: { default_mandate: null, payment_method_options: null, payment_method_types: null },
    period_end: wanted.period.end,
    period_start: wanted.period.start,
    post_payment_credit_notes_amount: 0,
    pre_payment_credit_notes_amount: 0,
    receipt_number: null,
    rendering: null,
    shipping_cost: null,
    shipping_details: null,
    starting_balance: customer.balance,
    statement_descriptor: null,
    status: 'draft',
    status_transitions: { finalized_at: null, marked_uncollectible_at: null, paid_at: null, voided_at: null },
    ...sums,
    test_clock: clock,
    total_discount_amounts: discountAmounts,
    total_pretax_credit_amounts: [],
    webhooks_delivered_at: null,
  };
  return { ...draft, ...due(sums.total, customer.balance).amounts };
}

/**
 * What is due of a total when the customer has a balance: credit (a negative balance) is used up first, a debt is
 * collected with it, and a total below nothing becomes credit.
 */
export function due(
  total: number,
  balance: number,
): { amounts: Pick<Invoice, 'amount_due' | 'amount_remaining'>; balance: number } {
  const owed = total + balance;
  const amount = Math.max(0, owed);
  return { amounts: { amount_due: amount, amount_remaining: amount }, balance: Math.min(0, owed) };
}

/** Pending items that an invoice of the customer, or of one of their subscriptions, takes with it. */
export function pendingItems(
  world: World,
  customer: string,
  currency: string,
  subscription?: string,
): InvoiceItem[] {
  return world.store.all('invoiceitem').filter((item) => {
    const of = item.parent?.subscription_details?.subscription;
    const isFor = subscription === undefined ? of === undefined : of === undefined || of === subscription;
    return item.customer === customer && item.invoice === null && item.currency === currency && isFor;
  });
}

export function subscriptionOf(invoice: Invoice): string | undefined {
  const id = invoice.parent?.subscription_details?.subscription;
  return id === undefined ? undefined : String(id);
}
