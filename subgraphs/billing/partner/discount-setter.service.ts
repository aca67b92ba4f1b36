import type { SqlEntityManager } from '#platform/database/database.js';
import type { Logger } from '#platform/logger.js';

import type { Coupons } from '../stripe/coupons.js';
import { setPartnerCoupon } from '../stripe/partner-discount.js';
import type { StripeSource } from '../stripe/stripe-client.js';
import { accessOf } from '../subscription/subscription.status.js';
import { readSubscription } from '../subscription/subscription.store.service.js';
import { endDiscountTurn, takeDiscountTurn } from './discount-turn.service.js';
import { couponFor, partnerTerms } from './partner-terms.service.js';

type Write = <T>(work: (write: { em: SqlEntityManager }) => Promise<T>) => Promise<T>;

/** Makes the discounts of subscriptions those of their partners' tiers. */
export class DiscountSetter {
  constructor(
    private readonly stripe: StripeSource,
    private readonly coupons: Coupons,
    private readonly logger: Logger,
  ) {}

  /**
   * Puts the discount of the tenant that `em` is bound to onto its subscription, or takes it off. Answers its coupon, null
   * for none; undefined where no subscription lives. Throws while another change of the subscription is under way.
   */
  async set(
    { em, write }: { em: SqlEntityManager; write: Write },
    tenantId: string,
    keyStem: string,
  ): Promise<string | null | undefined> {
    const { stripeId, status } = await readSubscription(em, tenantId);
    if (stripeId === null || !accessOf[status].isLive) return undefined;
    const terms = await partnerTerms(em);
    const coupon = couponFor(terms);
    if (terms?.tier) await this.coupons.ensure(terms.tier);
    const turn = await write(async ({ em: own }) => takeDiscountTurn(own, tenantId));
    if (turn === undefined) throw new Error('another change of the subscription is under way');
    try {
      const key = `${keyStem}-${coupon ?? 'none'}`;
      const outcome = await setPartnerCoupon(this.stripe(), stripeId, coupon, key);
      if (outcome === 'FOREIGN_SCHEDULE')
        this.logger.warn({ tenantId, stripeId }, 'a schedule that is not ours keeps the discount as it is');
    } finally {
      await endDiscountTurn(em, tenantId, turn);
    }
    return coupon;
  }
}
