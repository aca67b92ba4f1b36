import type Stripe from 'stripe';

import type { SqlEntityManager } from '#platform/database/database.js';
import type { OutboxEvent } from '#platform/outbox/outbox.js';
import type { InvoiceRefunded } from '#schema/events.js';

/** How many of a customer's newest payments and credit notes are looked at: eight years of monthly ones. */
const mostPayments = 100;

/** What went back of one charge, by one dispute of it, or by one credit note outside of Stripe, up to now. */
export interface Returned {
  id: string;
  /** Null for a payment of no invoice. */
  invoiceId: string | null;
  amount: number;
  at: string;
}

/** What of it is known already, by id. */
export async function knownReturned(
  em: SqlEntityManager,
  tenantId: string,
): Promise<ReadonlyMap<string, number>> {
  const rows = await em.execute<{ id: string; amount: string }[]>(
    'select id, amount from billing.returned_money where tenant_id = ?',
    [tenantId],
  );
  return new Map(rows.map(({ id, amount }) => [id, Number(amount)]));
}

/**
 * Money that went back to a customer and is not known yet: refunds, by whichever way they were made, what its bank has taken
 * back by a dispute that is open or lost, and what credit notes say was paid back outside of Stripe. Credit for later invoices is not among it: these are paid with less money.
 */
export async function fetchReturned(
  stripe: Stripe,
  customer: string,
  known: ReadonlyMap<string, number>,
  now: Date,
): Promise<Returned[]> {
  const isNews = ({ id, amount }: Pick<Returned, 'id' | 'amount'>) => (known.get(id) ?? 0) !== amount;
  const { data: charges } = await stripe.charges.list({
    customer,
    limit: mostPayments,
    expand: ['data.refunds'],
  });
  const found: Returned[] = [];
  for (const charge of charges) {
    const { id, amount_refunded: amount, created, refunds } = charge;
    if (charge.disputed) found.push(...(await disputesOf(stripe, charge, now)).filter(isNews));
    if (!isNews({ id, amount })) continue;
    const at = isoOf(refunds?.data[0]?.created ?? created);
    found.push({ id, invoiceId: await invoiceOf(stripe, charge), amount, at });
  }
  const { data: notes } = await stripe.creditNotes.list({ customer, limit: mostPayments });
  for (const { id, invoice, status, out_of_band_amount: outside, created, voided_at: voided } of notes) {
    const amount = status === 'void' ? 0 : (outside ?? 0);
    const invoiceId = typeof invoice === 'string' ? invoice : invoice.id;
    if (isNews({ id, amount })) found.push({ id, invoiceId, amount, at: isoOf(voided ?? created) });
  }
  return found;
}

/** One that is won, or was a question only, took nothing. */
async function disputesOf(stripe: Stripe, charge: Stripe.Charge, now: Date): Promise<Returned[]> {
  const { data } = await stripe.disputes.list({ charge: charge.id, limit: 100 });
  const invoiceId = await invoiceOf(stripe, charge);
  return data.map(({ id, amount, currency, status, created }) => {
    const isOver = status === 'won' || status === 'prevented' || status.startsWith('warning_');
    // In another currency it is about the charge as a whole.
    const taken = currency === charge.currency ? amount : charge.amount - charge.amount_refunded;
    return isOver
      ? // Stripe does not tell when it ended.
        { id, invoiceId, amount: 0, at: now.toISOString() }
      : { id, invoiceId, amount: taken, at: isoOf(created) };
  });
}

async function invoiceOf(stripe: Stripe, { payment_intent: by }: Stripe.Charge): Promise<string | null> {
  if (by === null) return null;
  const intent = typeof by === 'string' ? by : by.id;
  const { data } = await stripe.invoicePayments.list({
    payment: { type: 'payment_intent', payment_intent: intent },
    limit: 1,
  });
  const invoice = data[0]?.invoice;
  return typeof invoice === 'string' ? invoice : (invoice?.id ?? null);
}

/** Whether no answer was written yet whose ticket is greater: one that is slow undoes nothing that is newer. */
export async function isNewest(em: SqlEntityManager, tenantId: string, ticket: number): Promise<boolean> {
  const rows = await em.execute<unknown[]>(
    `update billing.subscription set returned_ticket = ? where tenant_id = ? and returned_ticket < ? returning 1`,
    [ticket, tenantId, ticket],
  );
  return rows.length > 0;
}

/** Remembers it, and tells of each invoice of which more or less went back than was told before. */
export async function tellReturned(
  { em, publish }: { em: SqlEntityManager; publish: (event: OutboxEvent) => void },
  tenantId: string,
  returned: readonly Returned[],
): Promise<void> {
  if (returned.length > 0)
    await em.execute(
      `insert into billing.returned_money as m (tenant_id, id, invoice_id, amount, returned_at)
       select ?, r.id, r."invoiceId", r.amount, r.at
       from jsonb_to_recordset(?::jsonb) as r (id text, "invoiceId" text, amount bigint, at timestamptz)
       on conflict (tenant_id, id) do update set amount = excluded.amount, returned_at = excluded.returned_at`,
      [tenantId, JSON.stringify(returned)],
    );
  const changed = await em.execute<
    { invoiceId: string; amount: string; version: number; at: Date | string }[]
  >(
    `update billing.paid_invoice p set returned = r.amount, return_version = p.return_version + 1
     from (select invoice_id, sum(amount)::bigint as amount, max(returned_at) as at
           from billing.returned_money where tenant_id = ? and invoice_id is not null group by invoice_id) r
     where p.tenant_id = ? and p.id = r.invoice_id and p.returned <> r.amount
     returning p.id as "invoiceId", p.returned as amount, p.return_version as version, r.at`,
    [tenantId, tenantId],
  );
  for (const { invoiceId, amount, version, at } of changed)
    publish({
      topic: 'billing.invoice.refunded',
      tenantId,
      entityId: invoiceId,
      entityVersion: version,
      payload: {
        invoiceId,
        amountReturned: Number(amount),
        version,
        returnedAt: new Date(at).toISOString(),
      } satisfies InvoiceRefunded,
    });
}

const isoOf = (seconds: number): string => new Date(seconds * 1000).toISOString();
