import type { Clock } from '#platform/clock.js';
import { ApiError } from '#platform/errors.js';

export interface Verified {
  expiresAt: number;
  tenantId: string;
  /** `node` for one, which `instanceId` tells. */
  kind?: string;
  instanceId?: string;
}

/** Until when a token counts and whose it is, or why it does not. Throws when that is not known now. */
export type Verify = (
  authorization: string,
  client: { clientAddress: string },
) => Promise<Verified | ApiError>;

export interface StandingToken {
  authorization: string;
  clientAddress: string;
  /** Seconds since the epoch. */
  expiresAt: number;
  /** Ends the watch. */
  signal: AbortSignal;
}

const longestDelayMs = 24 * 60 * 60 * 1000;
const recheckMs = 1_000;

/**
 * Watches a token for as long as something stands on it, and tells once when it has ended: by itself, or because a
 * session, a key or a grant was withdrawn, for which it asks every second. Rejects when it can't go on.
 */
export async function watchToken(
  { authorization, clientAddress, expiresAt, signal }: StandingToken,
  verify: Verify,
  clock: Clock,
  ended: (denial: ApiError) => void,
): Promise<void> {
  const stop = new AbortController();
  const tell = (denial: ApiError): void => {
    if (stop.signal.aborted) return;
    stop.abort();
    ended(denial);
  };
  const timer = setInterval(() => {
    verify(authorization, { clientAddress })
      // Not known now; it is asked again.
      .catch(() => undefined)
      .then((told) => (told instanceof ApiError ? tell(told) : undefined))
      .catch(() => stop.abort());
  }, recheckMs).unref();
  const either = AbortSignal.any([signal, stop.signal]);
  either.addEventListener('abort', () => clearInterval(timer), { once: true });
  try {
    // Timers hold 2^31 ms, which is less than the 30 days of a node's credential.
    for (let left = leftOf(expiresAt, clock); left > 0; left = leftOf(expiresAt, clock)) {
      await clock.delay(Math.min(left, longestDelayMs), either);
    }
    tell(tokenExpired());
  } catch (error) {
    if (!either.aborted) throw error;
  }
}

export function tokenExpired(): ApiError {
  return new ApiError('UNAUTHENTICATED', 'The token has expired', { reason: 'TOKEN_EXPIRED' });
}

function leftOf(expiresAt: number, clock: Clock): number {
  return expiresAt * 1000 - clock.now().getTime();
}
