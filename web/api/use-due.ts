import { useEffect, useRef } from 'react';

import { afterInSight } from './in-sight.ts';

/** The clock of this machine and the panel's may differ, and a moment that has passed is told soon, not at once. */
const shortestWaitMs = 3_000;
const longestWaitMs = 600_000;
/** Between readings of a moment that has passed, and is still told as the next one. */
const longestPauseMs = 60_000;

/**
 * Reads again when the first of some moments has come: for what changes with time, of which no event tells. `seen` is what
 * was read last, so that each reading waits for its own next moment. A reading that fails, or tells the same moment again,
 * is followed by others, each time later, and at once when the way to the panel is open again.
 */
export function useDue(moments: readonly (string | null)[], seen: unknown, read: () => void): void {
  const next = Math.min(...moments.flatMap((at) => (at === null ? [] : [new Date(at).getTime()])));
  const tries = useRef({ of: next, count: 0 });
  useEffect(() => {
    if (!Number.isFinite(next)) return undefined;
    if (tries.current.of !== next) tries.current = { of: next, count: 0 };
    let callOff: () => void;
    const wait = () => {
      const pauseMs = Math.min(longestPauseMs, shortestWaitMs * 2 ** tries.current.count);
      const waitMs = Math.min(longestWaitMs, Math.max(pauseMs, next - Date.now() + 1_000));
      callOff = afterInSight(waitMs, () => {
        if (next <= Date.now()) tries.current.count += 1;
        read();
        wait();
      });
    };
    const nowIfDue = () => {
      if (next <= Date.now() && !document.hidden) read();
    };
    wait();
    addEventListener('online', nowIfDue);
    return () => {
      callOff();
      removeEventListener('online', nowIfDue);
    };
  }, [next, seen, read]);
}
