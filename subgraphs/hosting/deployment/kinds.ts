import type { JobKind, JobPayload } from '#platform/jobs/job.js';

export interface ApplyPayload extends JobPayload {
  deploymentId: string;
  /** Until when it was taken up for this. */
  dueAt: string;
}

/** Applies, or deletes, what is due. One whose process died is due again by its row. */
export const applyKind: JobKind<ApplyPayload> = {
  name: 'hosting.deployment.apply',
  retry: { limit: 1, delaySeconds: 2, maxDelaySeconds: 2 },
  expireInSeconds: 60,
  atOnce: 8,
};
