import type { JobKind, JobPayload } from '#platform/jobs/job.js';

export interface RemediationPayload extends JobPayload {
  remediationId: string;
}

/** Sends a remediation's command, or looks how it is. One whose process died is due again by its row. */
export const remediateKind: JobKind<RemediationPayload> = {
  name: 'governance.remediation.advance',
  retry: { limit: 1, delaySeconds: 1, maxDelaySeconds: 1 },
  expireInSeconds: 60,
};

export const claimMs = 10_000;
/** How often a command under way is looked at, whatever events tell of it. */
export const lookMs = 60_000;
/** Between two looks at whether a tenant that is suspended has been restored. */
export const suspendedMs = 30_000;
/** Fleet knows a call again for a day by its key. */
export const certainMs = 23 * 60 * 60_000;
/** What is automatic comes to one instance once in this time, for one policy. */
export const pauseMs = 60 * 60_000;
/** And for one policy to so many at a time, and in an hour. */
export const mostAtOnce = 20;
export const mostAnHour = 60;
export const deadlineSeconds = 7_200;
