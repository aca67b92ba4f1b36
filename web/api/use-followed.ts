import type { TypedDocumentNode } from '@urql/core';
import { useEffect } from 'react';

import { connection } from './connection.ts';
import { useLive } from './use-live.ts';
import { useThrottled } from './use-throttled.ts';

/** A fleet at work changes all the time, and whoever looks at it draws on what the tenant may ask. */
const everyMs = 5_000;

/** By then the subscription has begun. */
const begunWithinMs = 1_000;

/**
 * Reads again after events, at most once in five seconds, for lists whose reading tells no cursor. It also reads shortly after
 * each connection: what happened before the subscription began is in that reading.
 */
export function useFollowed<Data, Variables>(
  document: TypedDocumentNode<Data, Variables>,
  variables: Variables,
  read: () => void,
  isAllowed = true,
): void {
  const readSoon = useThrottled(read, everyMs);
  useLive(document, variables, { next: readSoon, lost: readSoon, isAllowed });
  useEffect(() => {
    if (!isAllowed) return undefined;
    let later: ReturnType<typeof setTimeout> | undefined;
    const told = () => {
      clearTimeout(later);
      if (connection.get() === 'live') later = setTimeout(readSoon, begunWithinMs);
    };
    told();
    const leave = connection.follow(told);
    return () => {
      clearTimeout(later);
      leave();
    };
  }, [readSoon, isAllowed]);
}
