import { useEffect } from 'react';

/** The clock of this machine and the panel's may differ, and a moment that has passed is told soon, not at once. */
const shortestWaitMs = 3_000;
const longestWaitMs = 600_000;

/**
 * Reads again when the first of some moments has come: for what changes with time, of which no event tells. `seen` is what
 * was read last, so that each reading waits for its own next moment.
 */
export function useDue(moments: readonly (string | null)[], seen: unknown, read: () => void): void {
  const next = Math.min(...moments.flatMap((at) => (at === null ? [] : [new Date(at).getTime()])));
  useEffect(() => {
    if (!Number.isFinite(next)) return undefined;
    const waitMs = Math.min(longestWaitMs, Math.max(shortestWaitMs, next - Date.now() + 1_000));
    const timer = setTimeout(read, waitMs);
    return () => clearTimeout(timer);
  }, [next, seen, read]);
}
