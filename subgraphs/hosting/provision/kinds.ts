import type { JobKind, JobPayload } from '#platform/jobs/job.js';

export interface AdvancePayload extends JobPayload {
  serverId: string;
}

export interface AccountPayload extends JobPayload {
  provider: string;
}

// A step whose process died is due again by its row (`claimMs`), so the queue itself needs no patience.
const retry = { limit: 1, delaySeconds: 2, maxDelaySeconds: 2 };
const expireInSeconds = 120;

/** Takes a server's next step. */
export const advanceKind: JobKind<AdvancePayload> = {
  name: 'hosting.server.advance',
  retry,
  expireInSeconds,
};

/** Asks a provider how all servers of an account are that are under way. */
export const pollKind: JobKind<AccountPayload> = { name: 'hosting.account.poll', retry, expireInSeconds };

/** Compares what is at a provider with what is known here. */
export const reconcileKind: JobKind<AccountPayload> = {
  name: 'hosting.account.reconcile',
  retry,
  expireInSeconds,
};
