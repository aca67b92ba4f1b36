import type { JobKind, JobPayload } from '#platform/jobs/job.js';

/** Pauses or resumes what is collected of a tenant. Over a day; after that the next look asks for it again. */
export const collectSuspendedKind: JobKind<JobPayload> = {
  name: 'billing.suspended-tenant.collect',
  retry: { limit: 110, delaySeconds: 5, maxDelaySeconds: 15 * 60 },
  expireInSeconds: 120,
};
