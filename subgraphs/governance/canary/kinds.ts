import type { JobKind, JobPayload } from '#platform/jobs/job.js';

export interface CanaryPayload extends JobPayload {
  canaryId: string;
}

/** Takes a canary's next step. One whose process died is due again by its row, so the queue itself needs no patience. */
export const advanceKind: JobKind<CanaryPayload> = {
  name: 'governance.canary.advance',
  retry: { limit: 1, delaySeconds: 1, maxDelaySeconds: 1 },
  expireInSeconds: 120,
  atOnce: 8,
};

/** How long a step that was taken up may take before it is due again. */
export const claimMs = 10_000;
/** How often the command under way is looked at, whatever events tell of it. */
export const lookMs = 10_000;
/** Between two looks at whether a tenant that is suspended has been restored. */
export const haltedMs = 10_000;
/** How long those that have the command may take to beat again once their step is over. */
export const graceMs = 5 * 60_000;
/** Fleet knows a call again for a day by its key; later nobody can tell whether it was made. */
export const certainMs = 23 * 60 * 60_000;
/** Of those that have the command, and of the others, as many as are looked at. */
export const sampled = 100;
/** How many instances one command is for. */
export const perCommand = 1_000;
