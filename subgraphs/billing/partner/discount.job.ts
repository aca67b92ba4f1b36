import type { JobDefinition, JobPayload } from '#platform/jobs/job.js';

import type { DiscountSetter } from './discount-setter.service.js';
import { applyDiscountKind } from './discount.kind.js';
import { couponFor, partnerTerms } from './partner-terms.service.js';

/** Makes the discount of a tenant's subscription that of its partner's tier, or takes it off. */
export function applyDiscountJob(discounts: DiscountSetter): JobDefinition<JobPayload> {
  return {
    ...applyDiscountKind,
    async handle(step) {
      const { tenantId } = step.payload;
      const coupon = await discounts.set(step, tenantId, `${step.jobId}-${step.attempt}`);
      if (coupon === undefined) return;
      await step.write(async ({ em, enqueue }) => {
        // Another tier came meanwhile, and perhaps its job was faster.
        if (couponFor(await partnerTerms(em)) !== coupon) enqueue(applyDiscountKind, { tenantId });
      });
    },
  };
}
