import type { SqlEntityManager } from '#platform/database/database.js';

import { couponOf, tierOf, type PartnerTierData } from './partner-tiers.js';

/** What a tenant has of its partner. */
export interface PartnerTerms {
  partnerId: string;
  /** Undefined below the first tier. */
  tier: PartnerTierData | undefined;
}

/** A row of `billing.partner_terms()`, which may be joined to. */
export interface TermsRow {
  partnerId: string | null;
  tier: string | null;
}

export const termsColumns = 't.partner_id as "partnerId", t.tier';

/** Of the tenant that `em` is bound to: its provider's, or its own; undefined without an approved partner. */
export async function partnerTerms(em: SqlEntityManager): Promise<PartnerTerms | undefined> {
  const [row] = await em.execute<TermsRow[]>(`select ${termsColumns} from billing.partner_terms() t`);
  return row && readTerms(row);
}

export function readTerms({ partnerId, tier }: TermsRow): PartnerTerms | undefined {
  return partnerId === null ? undefined : { partnerId, tier: tierOf(tier) };
}

/** The coupon that is to be on the tenant's subscription; null for none. */
export const couponFor = (terms: PartnerTerms | undefined): string | null =>
  terms?.tier ? couponOf(terms.tier) : null;
