import { useEffect } from 'react';

import { connection } from './connection.ts';
import { afterInSight } from './in-sight.ts';

/** By then the subscription has begun. */
const begunWithinMs = 1_000;

/** Reads shortly after each connection: what happened before the subscription began is in that reading. */
export function useAfterConnecting(read: () => void, isAllowed = true): void {
  useEffect(() => {
    if (!isAllowed) return undefined;
    let callOff = () => {};
    const told = () => {
      callOff();
      if (connection.get() === 'live') callOff = afterInSight(begunWithinMs, read);
    };
    told();
    const leave = connection.follow(told);
    return () => {
      callOff();
      leave();
    };
  }, [read, isAllowed]);
}
