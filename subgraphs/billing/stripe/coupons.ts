import type Stripe from 'stripe';

import { couponOf, type PartnerTierData } from '../partner/partner-tiers.js';
import type { StripeSource } from './stripe-client.js';

/** Coupons of partners' tiers at Stripe, looked for each time: somebody may delete one there. */
export class Coupons {
  constructor(private readonly stripe: StripeSource) {}

  /** Answers its id. */
  async ensure(tier: PartnerTierData): Promise<string> {
    await ensureCoupon(this.stripe(), tier);
    return couponOf(tier);
  }
}

/** Makes it, or finds it there; whether it was made. */
export async function ensureCoupon(stripe: Stripe, tier: PartnerTierData): Promise<boolean> {
  const id = couponOf(tier);
  try {
    await stripe.coupons.retrieve(id);
    return false;
  } catch (error) {
    if (codeOf(error) !== 'resource_missing') throw error;
  }
  try {
    await stripe.coupons.create({
      id,
      name: `Partner ${tier.name}, ${tier.discountPercent} % off`,
      percent_off: tier.discountPercent,
      duration: 'forever',
    });
    return true;
  } catch (error) {
    // Another process was first.
    if (codeOf(error) === 'resource_already_exists') return false;
    throw error;
  }
}

function codeOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
}
