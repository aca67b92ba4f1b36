import type { JobKind, JobPayload } from '#platform/jobs/job.js';

export interface FinishIntentPayload extends JobPayload {
  intentId: string;
}

/** Over a day, which is longer than an intent may be asked for again; for ends of subscriptions there is another each day. */
export const finishKind: JobKind<FinishIntentPayload> = {
  name: 'billing.intent.finish',
  retry: { limit: 110, delaySeconds: 5, maxDelaySeconds: 15 * 60 },
  expireInSeconds: 120,
};
