import type { JobKind, JobPayload } from '#platform/jobs/job.js';

/** Ends what a customer subscribed to twice. After an outage that it does not outlast, the next look asks for it again. */
export const endSurplusKind: JobKind<JobPayload> = {
  name: 'billing.surplus.end',
  retry: { limit: 12, delaySeconds: 2, maxDelaySeconds: 15 * 60 },
  expireInSeconds: 120,
};
