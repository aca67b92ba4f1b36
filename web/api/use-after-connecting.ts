import { useEffect } from 'react';

import { connection } from './connection.ts';

/** By then the subscription has begun. */
const begunWithinMs = 1_000;

/** Reads shortly after each connection: what happened before the subscription began is in that reading. */
export function useAfterConnecting(read: () => void, isAllowed = true): void {
  useEffect(() => {
    if (!isAllowed) return undefined;
    let later: ReturnType<typeof setTimeout> | undefined;
    const told = () => {
      clearTimeout(later);
      if (connection.get() === 'live') later = setTimeout(read, begunWithinMs);
    };
    told();
    const leave = connection.follow(told);
    return () => {
      clearTimeout(later);
      leave();
    };
  }, [read, isAllowed]);
}
