import type { JobKind, JobPayload } from '#platform/jobs/job.js';
import type { Share } from '#platform/jobs/room.js';

export interface Most {
  /** At one provider. */
  atProvider: number;
  /** Of one tenant there. */
  ofTenant: number;
}

/** Where there has to be room for a call. */
export function sharesOf(
  { provider, tenantId }: { provider: string; tenantId: string },
  { atProvider, ofTenant }: Most,
): readonly Share[] {
  return [
    { of: provider, most: atProvider },
    { of: `${provider} ${tenantId}`, most: ofTenant },
  ];
}

export interface AdvancePayload extends JobPayload {
  serverId: string;
  /** Until when it was taken up for this. */
  dueAt: string;
}

export interface AccountPayload extends JobPayload {
  provider: string;
  /** Until when it was taken up for this. */
  dueAt: string;
}

// A step whose process died is due again by its row (`claimMs`), so the queue itself needs no patience.
const retry = { limit: 1, delaySeconds: 2, maxDelaySeconds: 2 };
const expireInSeconds = 120;

/** Takes a server's next step. */
export const advanceKind: JobKind<AdvancePayload> = {
  name: 'hosting.server.advance',
  retry,
  expireInSeconds,
  atOnce: 8,
};
/** Of those. */
export const mostSteps: Most = { atProvider: 6, ofTenant: 4 };

/** Asks a provider how all servers of an account are that are under way. */
export const pollKind: JobKind<AccountPayload> = {
  name: 'hosting.account.poll',
  retry,
  expireInSeconds,
  atOnce: 4,
};

/** Compares what is at a provider with what is known here. */
export const reconcileKind: JobKind<AccountPayload> = {
  name: 'hosting.account.reconcile',
  retry,
  expireInSeconds,
  atOnce: 4,
};
/** Of either. */
export const mostLooks: Most = { atProvider: 2, ofTenant: 1 };
