import { newId } from '#platform/ids.js';
import type { Consumer } from '#platform/outbox/consumer.js';
import type { InvoicePaid } from '#schema/events.js';

interface Earner {
  tenantId: string;
  partnerId: string;
  tier: string | null;
  percent: number;
}

/**
 * Books what partners earn: one row for each invoice that a customer paid while its partner was approved and it was a
 * customer, by the percentage and the tier of then, however late it is told of. One that is told of again is booked already.
 */
export const earnCommission: Consumer = {
  topics: ['billing.invoice.paid'],
  async handle({ em, event, now }) {
    const { invoiceId, amountPaid, currency, paidAt } = event.payload as unknown as InvoicePaid;
    const [earner] = await em.execute<Earner[]>(
      `select p.tenant_id as "tenantId", p.partner_id as "partnerId", p.commission_percent as percent,
         (select h.to_tier from billing.partner_tier_change h
          where h.tenant_id = p.tenant_id and h.partner_id = p.partner_id
            and date_trunc('second', h.changed_at) <= ?::timestamptz
          order by h.id desc limit 1) as tier
       from billing.subscription s
       join billing.partner_period p on p.tenant_id = coalesce(s.parent_tenant_id, s.tenant_id)
         and p.from_at <= ?::timestamptz and (p.to_at is null or p.to_at > ?::timestamptz)
       left join billing.partner_customer c on c.tenant_id = p.tenant_id and c.customer_id = s.tenant_id
       where s.tenant_id = ? and (s.parent_tenant_id is null or date_trunc('second', c.since) <= ?::timestamptz)`,
      [paidAt, paidAt, paidAt, event.tenantId, paidAt],
    );
    if (!earner) return;
    const { tenantId, partnerId, tier, percent } = earner;
    await em.execute(
      `insert into billing.commission (tenant_id, id, partner_id, customer_id, invoice_id, tier, amount_paid,
         commission_percent, amount, currency, paid_at, recorded_at)
       values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?::timestamptz, ?) on conflict (tenant_id, invoice_id, entry) do nothing`,
      [
        tenantId,
        newId('commission'),
        partnerId,
        event.tenantId,
        invoiceId,
        tier,
        amountPaid,
        percent,
        commissionOf(amountPaid, percent),
        currency,
        paidAt,
        now,
      ],
    );
  },
};

/** In whole minor units, halves up: exact, unlike division of doubles. */
export function commissionOf(amount: number, percent: number): number {
  return Number((BigInt(amount) * BigInt(percent) + 50n) / 100n);
}
