import type { JobKind, JobPayload } from '#platform/jobs/job.js';

/** Sets the partner's discount on a tenant's subscription. After an outage that it does not outlast, reconciling asks for it again. */
export const applyDiscountKind: JobKind<JobPayload> = {
  name: 'billing.partner-discount.apply',
  retry: { limit: 12, delaySeconds: 2, maxDelaySeconds: 15 * 60 },
  expireInSeconds: 60,
};
