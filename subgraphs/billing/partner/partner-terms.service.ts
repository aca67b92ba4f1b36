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

/** The coupon that is to be on the tenant's subscription; null for none. */
export const couponFor = (terms: PartnerTerms | undefined): string | null =>
  terms?.tier ? couponOf(terms.tier) : null;
