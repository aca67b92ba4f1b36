import type { Clock } from '#platform/clock.js';
import type { Plan } from '#platform/entitlement/plans.js';
import { ApiError } from '#platform/errors.js';

import { lookupKeyOf, type BillingCycle } from '../package/packages.js';
import type { StripeSource } from './stripe-client.js';

/** An operator may put another price in the place of one at any time. */
const knownMs = 60_000;

/** The ids of our prices at Stripe, asked for once a minute. */
export class Prices {
  private readonly known = new Map<string, { id: string; until: number }>();

  constructor(
    private readonly stripe: StripeSource,
    private readonly clock: Clock,
  ) {}

  async idOf(plan: Plan, cycle: BillingCycle): Promise<string> {
    const key = lookupKeyOf(plan, cycle);
    const now = this.clock.now().getTime();
    const known = this.known.get(key);
    if (known && now < known.until) return known.id;
    const { data } = await this.stripe().prices.list({ lookup_keys: [key], active: true, limit: 1 });
    const [price] = data;
    if (!price) {
      throw new ApiError('UNAVAILABLE', 'This plan has no price at the payment provider yet', {
        reason: 'NO_PRICE',
        cause: new Error(`Stripe has no price with the lookup_key ${key}: run npm run stripe:catalogue`),
      });
    }
    this.known.set(key, { id: price.id, until: now + knownMs });
    return price.id;
  }
}
