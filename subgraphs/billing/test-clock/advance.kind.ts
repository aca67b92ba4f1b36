import type { JobKind, JobPayload } from '#platform/jobs/job.js';

/** Brings a test clock to where it was told to go, when the request that began it has died or ran out of time. */
export const advanceKind: JobKind<JobPayload> = {
  name: 'billing.test-clock.advance',
  retry: { limit: 20, delaySeconds: 2, maxDelaySeconds: 60 },
  expireInSeconds: 120,
};
