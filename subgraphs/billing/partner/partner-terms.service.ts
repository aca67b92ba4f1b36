import type { SqlEntityManager } from '#platform/database/database.js';

import { couponOf, tierOf, type PartnerTierData } from './partner-tiers.js';

/** What a tenant has of its partner. */
export interface PartnerTerms {
  partnerId: string;
  /** Undefined below the first tier. */
  tier: PartnerTierData | undefined;
}

/** Of the tenant that `em` is bound to: its provider's, or its own; undefined without an approved partner. */
export async function partnerTerms(em: SqlEntityManager): Promise<PartnerTerms | undefined> {
  const [row] = await em.execute<{ partnerId: string; tier: string | null }[]>(
    'select partner_id as "partnerId", tier from billing.partner_terms()',
  );
  return row && { partnerId: row.partnerId, tier: tierOf(row.tier) };
}

/** Of several tenants, as whoever may see all: those without an approved partner are left out. */
export async function partnerTermsOf(
  em: SqlEntityManager,
  tenantIds: readonly string[],
): Promise<Map<string, PartnerTerms>> {
  const rows = await em.execute<{ tenantId: string; partnerId: string; tier: string | null }[]>(
    `select s.tenant_id as "tenantId", p.id as "partnerId", p.tier from billing.subscription s
     join billing.partner p on ${isPartnerOfSql}
     where s.tenant_id in (select jsonb_array_elements_text(?::jsonb))`,
    [JSON.stringify(tenantIds)],
  );
  return new Map(rows.map(({ tenantId, partnerId, tier }) => [tenantId, { partnerId, tier: tierOf(tier) }]));
}

/** Whether `p` is the partner that the tenant of the subscription `s` has terms of, as `billing.partner_terms` tells it. */
export const isPartnerOfSql = `p.tenant_id = coalesce(s.parent_tenant_id, s.tenant_id)
  and p.approved_at is not null and p.status <> 'REJECTED'`;

/** The coupon that is to be on the tenant's subscription; null for none. */
export const couponFor = (terms: PartnerTerms | undefined): string | null =>
  terms?.tier ? couponOf(terms.tier) : null;
