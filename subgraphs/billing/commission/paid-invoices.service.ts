import type Stripe from 'stripe';

import type { SqlEntityManager } from '#platform/database/database.js';
import type { OutboxEvent } from '#platform/outbox/outbox.js';
import type { InvoicePaid } from '#schema/events.js';

import { partOf } from '../money/part-of.js';
import { isOurs } from '../stripe/sold.js';

/** As many as are looked through at once; forty years of monthly ones. */
const mostInvoices = 500;

export interface SeenInvoices {
  paid: InvoicePaid[];
  /** From which on to look the next time: all that is older is paid and seen, or never will be paid. */
  from: Date | null;
}

/**
 * A customer's invoices that were paid for subscriptions of ours, newest first: those that were made from `since` on.
 * Others that were sold to the same customer, and those for which no money was paid, earn nobody anything.
 */
export async function fetchPaidInvoices(
  stripe: Stripe,
  customer: string,
  since: Date | null,
): Promise<SeenInvoices> {
  const isForOurs = subscriptionsOfOurs(stripe);
  const created = since && { created: { gte: Math.floor(since.getTime() / 1000) } };
  const paid: InvoicePaid[] = [];
  let newest: number | undefined;
  let oldestUnpaid: number | undefined;
  let count = 0;
  for await (const invoice of stripe.invoices.list({ customer, limit: 100, ...created })) {
    newest ??= invoice.created;
    if (invoice.status !== 'paid' && invoice.status !== 'void') oldestUnpaid = invoice.created;
    const { paid_at: at } = invoice.status_transitions;
    const amountPaid = paidFor(invoice);
    if (invoice.status === 'paid' && at !== null && amountPaid > 0 && (await isForOurs(invoice))) {
      paid.push({
        invoiceId: invoice.id,
        amountPaid,
        amountNet: netOf(amountPaid, invoice),
        currency: invoice.currency,
        paidAt: new Date(at * 1000).toISOString(),
      });
    }
    count += 1;
    if (count === mostInvoices) return { paid, from: since };
  }
  const from = oldestUnpaid ?? newest;
  return { paid, from: from === undefined ? since : new Date(from * 1000) };
}

/** By whichever way it came: Stripe tells apart what was paid outside of it, as by a transfer to the bank. */
function paidFor({
  amount_due: due,
  amount_paid: here,
  amount_paid_off_stripe: outside = 0,
}: Stripe.Invoice): number {
  return Math.max(here, Math.min(due, here + outside));
}

/** What of a payment is without taxes, whether these are in the prices or come on top: of a part of it the same part. */
function netOf(paid: number, { total, total_excluding_tax: net }: Stripe.Invoice): number {
  return net === null || total <= 0 ? paid : partOf(paid, Math.max(0, net), total);
}

/** Asks for each subscription once. */
function subscriptionsOfOurs(stripe: Stripe): (invoice: Stripe.Invoice) => Promise<boolean> {
  const known = new Map<string, boolean>();
  return async ({ parent }) => {
    const of = parent?.subscription_details?.subscription;
    if (!of) return false;
    const id = typeof of === 'string' ? of : of.id;
    const answer = known.get(id) ?? isOurs(await stripe.subscriptions.retrieve(id));
    known.set(id, answer);
    return answer;
  };
}

/** Tells of those that were not told of yet, in the transaction that remembers them. */
export async function tellPaidInvoices(
  { em, publish }: { em: SqlEntityManager; publish: (event: OutboxEvent) => void },
  tenantId: string,
  invoices: readonly InvoicePaid[],
): Promise<void> {
  if (invoices.length === 0) return;
  const fresh = await em.execute<{ id: string }[]>(
    `insert into billing.paid_invoice (tenant_id, id, paid_at)
     select ?, i."invoiceId", i."paidAt" from jsonb_to_recordset(?::jsonb) as i ("invoiceId" text, "paidAt" timestamptz)
     on conflict do nothing returning id`,
    [tenantId, JSON.stringify(invoices)],
  );
  const isFresh = new Set(fresh.map(({ id }) => id));
  for (const invoice of invoices.toReversed()) {
    if (!isFresh.has(invoice.invoiceId)) continue;
    publish({
      topic: 'billing.invoice.paid',
      tenantId,
      entityId: invoice.invoiceId,
      payload: { ...invoice },
    });
  }
}
