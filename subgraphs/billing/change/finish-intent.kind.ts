import type { JobKind, JobPayload } from '#platform/jobs/job.js';

export interface FinishIntentPayload extends JobPayload {
  intentId: string;
}

/** A month: the end of a subscription is asked for until Stripe takes it, other changes for a day. */
export const finishKind: JobKind<FinishIntentPayload> = {
  name: 'billing.intent.finish',
  retry: { limit: 3_000, delaySeconds: 5, maxDelaySeconds: 15 * 60 },
  expireInSeconds: 120,
};
