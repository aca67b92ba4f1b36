import type { JobKind, JobPayload } from '#platform/jobs/job.js';

/** Over a day: it is asked for once only. */
export const renameCustomerKind: JobKind<JobPayload> = {
  name: 'billing.customer.rename',
  retry: { limit: 110, delaySeconds: 5, maxDelaySeconds: 15 * 60 },
  expireInSeconds: 60,
};
