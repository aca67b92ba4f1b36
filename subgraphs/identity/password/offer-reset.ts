import type { JobKind, JobPayload } from '#platform/jobs/job.js';

export interface OfferResetPayload extends JobPayload {
  userId: string;
}

/** Enqueued for every address that a reset is asked for, known or not. */
export const offerReset: JobKind<OfferResetPayload> = {
  name: 'identity.password-reset.offer',
  retry: { limit: 8, delaySeconds: 5, maxDelaySeconds: 15 * 60 },
  expireInSeconds: 60,
};
