import { useEffect } from 'react';

const everyMs = 60_000;

/** Reads again when the page comes into sight, and once a minute while it is: for what no event tells the viewer of. */
export function useInSight(read: () => void, isAllowed = true): void {
  useEffect(() => {
    if (!isAllowed) return undefined;
    const look = () => {
      if (document.visibilityState === 'visible') read();
    };
    const often = setInterval(look, everyMs);
    document.addEventListener('visibilitychange', look);
    return () => {
      clearInterval(often);
      document.removeEventListener('visibilitychange', look);
    };
  }, [read, isAllowed]);
}
