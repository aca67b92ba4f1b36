import type Stripe from 'stripe';

import type { SqlEntityManager } from '#platform/database/database.js';
import type { OutboxEvent } from '#platform/outbox/outbox.js';
import type { InvoicePaid } from '#schema/events.js';

/** As many as are looked through; forty years of monthly ones. */
const mostInvoices = 500;

/** A customer's invoices that were paid, newest first. */
export async function fetchPaidInvoices(stripe: Stripe, customer: string): Promise<InvoicePaid[]> {
  const paid: InvoicePaid[] = [];
  for await (const invoice of stripe.invoices.list({ customer, status: 'paid', limit: 100 })) {
    const { paid_at: at } = invoice.status_transitions;
    if (at === null) continue;
    paid.push({
      invoiceId: invoice.id,
      amountPaid: invoice.amount_paid,
      currency: invoice.currency,
      paidAt: new Date(at * 1000).toISOString(),
    });
    if (paid.length === mostInvoices) break;
  }
  return paid;
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
