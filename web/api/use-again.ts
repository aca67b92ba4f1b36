import { useEffect } from 'react';

import { afterInSight } from './in-sight.ts';
import type { Told } from './problem.ts';

const ordinarilyEveryMs = 5_000;

/** What goes by itself: a part of the panel that is away, as in a failover, or the way to it. */
const passing = new Set(['UNAVAILABLE', 'NETWORK']);

export function isPassing(told: Told | undefined): boolean {
  return told !== undefined && passing.has(told.code);
}

/** Reads again as long as readings fail for a reason that passes: nobody has to press for it. */
export function useAgain(told: Told | undefined, read: () => void): void {
  useWhile(isPassing(told), read);
}

/** Reads again as long as something is under way, of which no event tells. */
export function useWhile(isUnderWay: boolean, read: () => void, everyMs = ordinarilyEveryMs): void {
  useEffect(() => {
    if (!isUnderWay) return undefined;
    let callOff: () => void;
    const wait = () => {
      callOff = afterInSight(everyMs, () => {
        read();
        wait();
      });
    };
    wait();
    return () => callOff();
  }, [isUnderWay, read, everyMs]);
}
