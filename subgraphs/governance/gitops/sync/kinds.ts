import type { JobKind, JobPayload } from '#platform/jobs/job.js';

export interface GitOpsPayload extends JobPayload {
  configId: string;
}

/** Looks at a repository. One whose process died is due again by its row, so the queue itself needs no patience. */
export const lookKind: JobKind<GitOpsPayload> = {
  name: 'governance.gitops.look',
  retry: { limit: 1, delaySeconds: 5, maxDelaySeconds: 5 },
  expireInSeconds: 300,
};

/** How long a look that was taken up may take before it is due again. */
export const claimMs = 6 * 60_000;
/** As often is a commit tried that could not be put into force; later only by hand. */
export const mostFailures = 5;

/** The pause before another try: Argo CD's, 5 s at first and twice as long each time, 3 minutes at most. */
export function retryMs(failures: number): number {
  return Math.min(5_000 * 2 ** (failures - 1), 180_000);
}

/** The pause between two looks. By chance some longer, so that the hosts of repositories are not asked all at once. */
export function pauseMs(intervalSeconds: number): number {
  return intervalSeconds * 1_000 + Math.random() * Math.min(intervalSeconds * 500, 60_000);
}
