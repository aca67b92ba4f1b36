import { useCallback, useEffect, useRef } from 'react';

/** Runs the work at most once in a while, and once more after the last call: bursts of events are answered by one reading. */
export function useThrottled(work: () => void, everyMs: number): () => void {
  const latest = useRef(work);
  const waiting = useRef<ReturnType<typeof setTimeout>>(undefined);
  const lastAt = useRef(0);
  useEffect(() => {
    latest.current = work;
  });
  useEffect(() => () => clearTimeout(waiting.current), []);
  return useCallback(() => {
    if (waiting.current !== undefined) return;
    waiting.current = setTimeout(
      () => {
        waiting.current = undefined;
        lastAt.current = Date.now();
        latest.current();
      },
      Math.max(0, lastAt.current + everyMs - Date.now()),
    );
  }, [everyMs]);
}
