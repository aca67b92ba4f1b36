import type { JobDefinition, JobPayload } from '#platform/jobs/job.js';
import type { Logger } from '#platform/logger.js';

import type { Coupons } from '../stripe/coupons.js';
import { setPartnerCoupon } from '../stripe/partner-discount.js';
import type { StripeSource } from '../stripe/stripe-client.js';
import { accessOf } from '../subscription/subscription.status.js';
import { readSubscription } from '../subscription/subscription.store.service.js';
import { endDiscountTurn, takeDiscountTurn } from './discount-turn.service.js';
import { applyDiscountKind } from './discount.kind.js';
import { couponFor, partnerTerms } from './partner-terms.service.js';

/** Makes the discount of a tenant's subscription that of its partner's tier, or takes it off. */
export function applyDiscountJob(
  stripe: StripeSource,
  coupons: Coupons,
  logger: Logger,
): JobDefinition<JobPayload> {
  return {
    ...applyDiscountKind,
    async handle(step) {
      const { tenantId } = step.payload;
      const { stripeId, status } = await readSubscription(step.em, tenantId);
      if (stripeId === null || !accessOf[status].isLive) return;
      const terms = await partnerTerms(step.em);
      const coupon = couponFor(terms);
      if (terms?.tier) await coupons.ensure(terms.tier);
      const turn = await step.write(async ({ em }) => takeDiscountTurn(em, tenantId));
      if (turn === undefined) throw new Error('another change of the subscription is under way');
      try {
        const key = `${step.jobId}-${step.attempt}-${coupon ?? 'none'}`;
        const outcome = await setPartnerCoupon(stripe(), stripeId, coupon, key);
        if (outcome === 'FOREIGN_SCHEDULE')
          logger.warn({ tenantId, stripeId }, 'a schedule that is not ours keeps the discount as it is');
      } finally {
        await endDiscountTurn(step.em, tenantId, turn);
      }
      await step.write(async ({ em, enqueue }) => {
        // Another tier came meanwhile, and perhaps its job was faster.
        if (couponFor(await partnerTerms(em)) !== coupon) enqueue(applyDiscountKind, { tenantId });
      });
    },
  };
}
