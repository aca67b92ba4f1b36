import type { Plan } from '#platform/entitlement/plans.js';
import { ApiError } from '#platform/errors.js';

import { lookupKeyOf, type BillingCycle } from '../package/packages.js';
import type { StripeSource } from './stripe-client.js';

/** The ids of our prices at Stripe, asked for once. */
export class Prices {
  private readonly known = new Map<string, string>();

  constructor(private readonly stripe: StripeSource) {}

  async idOf(plan: Plan, cycle: BillingCycle): Promise<string> {
    const key = lookupKeyOf(plan, cycle);
    const known = this.known.get(key);
    if (known !== undefined) return known;
    const { data } = await this.stripe().prices.list({ lookup_keys: [key], active: true, limit: 1 });
    const [price] = data;
    if (!price) {
      throw new ApiError('UNAVAILABLE', 'This plan has no price at the payment provider yet', {
        reason: 'NO_PRICE',
        cause: new Error(`Stripe has no price with the lookup_key ${key}: run npm run stripe:catalogue`),
      });
    }
    this.known.set(key, price.id);
    return price.id;
  }
}
