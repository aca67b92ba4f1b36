import type { JobKind, JobPayload } from '#platform/jobs/job.js';

export interface GitOpsPayload extends JobPayload {
  configId: string;
}

/** Looks at a repository. One whose process died is due again by its row, so the queue itself needs no patience. */
export const lookKind: JobKind<GitOpsPayload> = {
  name: 'governance.gitops.look',
  retry: { limit: 1, delaySeconds: 5, maxDelaySeconds: 5 },
  expireInSeconds: 300,
  // As many as there is room for at all hosts.
  atOnce: 8,
};

/** How long a look that was taken up may take before it is due again. */
export const claimMs = 6 * 60_000;
/**
 * So many looks of a tenant are under way at a time, fewer than a process makes: a host that takes a connection and says
 * nothing has one wait for 20 s, and whoever names many of them keeps no other tenant waiting.
 */
export const mostOfTenant = 3;
/** What is known of the host of a repository: that it said nothing at the last look, nothing yet, or that it answers. */
export const hosts = ['silent', 'unknown', 'answering'] as const;
export type Host = (typeof hosts)[number];
/**
 * How to read this table: of the looks that a process makes at a time, at most so many are at hosts of the left and of
 * those before it. However many tenants name hosts that say nothing, the rest is for others, and the last ones are for
 * repositories that were read before.
 */
export const mostAtHosts: Readonly<Record<Host, number>> = { silent: 3, unknown: 6, answering: 8 };
/** Before a look is tried again for which there was no room. */
export const crowdedMs = 3_000;
/** Between two looks at whether a tenant that is suspended has been restored: its repositories are not fetched. */
export const suspendedMs = 30_000;
/** By then a look has ended, or its process has. */
export const longestLookMs = 120_000;
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
