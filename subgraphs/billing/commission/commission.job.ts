import { newId } from '#platform/ids.js';
import type { Consumer } from '#platform/outbox/consumer.js';
import type { InvoicePaid } from '#schema/events.js';

import { partOf } from '../money/part-of.js';

interface Earner {
  tenantId: string;
  partnerId: string;
  tier: string | null;
  percent: number;
}

/** Of a client that an older version has taken in beside this one: it told of its provider, and not since when. */
const untoldProviderSql = `
  select c.tenant_id from billing.subscription s
  join billing.partner_customer c on c.tenant_id = s.parent_tenant_id and c.customer_id = s.tenant_id
  where s.tenant_id = ? and date_trunc('second', c.since) <= ?::timestamptz and not exists (
    select 1 from billing.provider_period h where h.tenant_id = s.tenant_id and h.provider_id = s.parent_tenant_id)`;

/**
 * Books what partners earn: one row for each invoice that a customer paid while its partner was approved and it was a
 * customer, by the percentage and the tier of then, however late it is told of and whose customer it is by now. Taxes are
 * the state's, and earn nothing. One that is told of again is booked already.
 */
export const earnCommission: Consumer = {
  topics: ['billing.invoice.paid'],
  async handle({ em, event, now }) {
    const { invoiceId, amountPaid, currency, paidAt } = event.payload as unknown as InvoicePaid;
    const { amountNet = amountPaid } = event.payload as unknown as InvoicePaid;
    const { tenantId: customer } = event;
    const [earner] = await em.execute<Earner[]>(
      `select p.tenant_id as "tenantId", p.partner_id as "partnerId", p.commission_percent as percent,
         (select h.to_tier from billing.partner_tier_change h
          where h.tenant_id = p.tenant_id and h.partner_id = p.partner_id
            and date_trunc('second', h.changed_at) <= ?::timestamptz
          order by h.id desc limit 1) as tier
       from billing.partner_period p
       where p.from_at <= ?::timestamptz and (p.to_at is null or p.to_at > ?::timestamptz)
         and p.tenant_id = coalesce((
           select h.provider_id from billing.provider_period h
           where h.tenant_id = ? and date_trunc('second', h.from_at) <= ?::timestamptz
             and (h.to_at is null or date_trunc('second', h.to_at) > ?::timestamptz)
           order by h.from_at desc limit 1), (${untoldProviderSql}), ?)`,
      [paidAt, paidAt, paidAt, customer, paidAt, paidAt, customer, paidAt, customer],
    );
    if (!earner) return;
    const { tenantId, partnerId, tier, percent } = earner;
    await em.execute(
      `insert into billing.commission (tenant_id, id, partner_id, customer_id, invoice_id, tier, amount_paid,
         net_amount, commission_percent, amount, currency, paid_at, recorded_at)
       values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?::timestamptz, ?) on conflict (tenant_id, invoice_id, entry) do nothing`,
      [
        tenantId,
        newId('commission'),
        partnerId,
        customer,
        invoiceId,
        tier,
        amountPaid,
        amountNet,
        percent,
        commissionOf(amountNet, percent),
        currency,
        paidAt,
        now,
      ],
    );
  },
};

export const commissionOf = (net: number, percent: number): number => partOf(net, percent, 100);
