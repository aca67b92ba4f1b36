import type { JobKind, JobPayload } from '#platform/jobs/job.js';

export interface FailedSignInPayload extends JobPayload {
  userId: string;
  clientAddress: string;
  /** Until when the account is paused, where that and not the password is why. */
  pausedUntil: string | null;
}

/** Enqueued for every sign-in that fails, whether or not there is such an account. */
export const failedSignIn: JobKind<FailedSignInPayload> = {
  name: 'identity.sign-in.record-failure',
  retry: { limit: 8, delaySeconds: 5, maxDelaySeconds: 15 * 60 },
  expireInSeconds: 60,
};
