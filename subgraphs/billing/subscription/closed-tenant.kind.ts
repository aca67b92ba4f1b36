import type { JobKind, JobPayload } from '#platform/jobs/job.js';

/** Ends what a closed tenant subscribes to. Over a day; after that the next look asks for it again. */
export const endClosedKind: JobKind<JobPayload> = {
  name: 'billing.closed-tenant.end',
  retry: { limit: 110, delaySeconds: 5, maxDelaySeconds: 15 * 60 },
  expireInSeconds: 120,
};
