import { useCallback, useEffect, useRef } from 'react';

import { afterInSight } from './in-sight.ts';

/** Runs the work at most once in a while, and once more after the last call: bursts of events are answered by one reading. */
export function useThrottled(work: () => void, everyMs: number): () => void {
  const latest = useRef(work);
  /** Calls off what is waited for. */
  const waiting = useRef<() => void>(undefined);
  const lastAt = useRef(0);
  useEffect(() => {
    latest.current = work;
  });
  useEffect(() => () => waiting.current?.(), []);
  return useCallback(() => {
    if (waiting.current !== undefined) return;
    waiting.current = afterInSight(Math.max(0, lastAt.current + everyMs - Date.now()), () => {
      waiting.current = undefined;
      lastAt.current = Date.now();
      latest.current();
    });
  }, [everyMs]);
}
