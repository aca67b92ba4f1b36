import { newId } from '#platform/ids.js';
import type { Consumer } from '#platform/outbox/consumer.js';
import type { InvoiceRefunded } from '#schema/events.js';

import { partOf } from '../money/part-of.js';
import { commissionOf } from './commission.job.js';

interface Booked {
  tenantId: string;
  partnerId: string;
  tier: string | null;
  currency: string;
  percent: number;
  /** What was paid at first, and what of it is without taxes. */
  paid: string;
  net: string;
  /** What all entries of the invoice sum to. */
  amountPaid: string;
  netAmount: string;
  amount: string;
  last: number;
}

/**
 * Books what a refund takes back of what a partner earned: an entry that makes the entries of the invoice sum to the
 * commission on what is left of the payment. The partner is the one that has earned by it, whatever became of it since.
 */
export const takeBackCommission: Consumer = {
  topics: ['billing.invoice.refunded'],
  async handle({ em, event, now }) {
    const { invoiceId, amountReturned, version, returnedAt } = event.payload as unknown as InvoiceRefunded;
    const [booked] = await em.execute<Booked[]>(
      `select c.tenant_id as "tenantId", c.partner_id as "partnerId", c.tier, c.currency,
         c.commission_percent as percent, c.amount_paid as paid,
         coalesce(c.net_amount, c.amount_paid) as net, s.*
       from billing.commission c, lateral (
         select sum(e.amount_paid) as "amountPaid",
           sum(coalesce(e.net_amount, e.amount_paid)) as "netAmount", sum(e.amount) as amount, max(e.entry) as last
         from billing.commission e where e.tenant_id = c.tenant_id and e.invoice_id = c.invoice_id) s
       where c.invoice_id = ? and c.entry = 0 and c.customer_id = ?`,
      [invoiceId, event.tenantId],
    );
    // Told of before, or nobody earned by it.
    if (!booked || booked.last >= version) return;
    const { tenantId, partnerId, tier, currency, percent } = booked;
    const paid = Number(booked.paid);
    const left = Math.max(0, paid - amountReturned);
    // What goes back has its part of the taxes.
    const leftNet = paid === 0 ? 0 : partOf(left, Number(booked.net), paid);
    await em.execute(
      `insert into billing.commission (tenant_id, id, partner_id, customer_id, invoice_id, entry, tier, amount_paid,
         net_amount, commission_percent, amount, currency, paid_at, recorded_at)
       values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?::timestamptz, ?) on conflict (tenant_id, invoice_id, entry) do nothing`,
      [
        tenantId,
        newId('commission'),
        partnerId,
        event.tenantId,
        invoiceId,
        version,
        tier,
        left - Number(booked.amountPaid),
        leftNet - Number(booked.netAmount),
        percent,
        commissionOf(leftNet, percent) - Number(booked.amount),
        currency,
        returnedAt,
        now,
      ],
    );
  },
};
