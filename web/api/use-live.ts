import type { TypedDocumentNode } from '@urql/core';
import { useEffect, useRef, useState } from 'react';

import { afterInSight } from './in-sight.ts';
import { follow } from './socket.ts';

export interface LiveOptions<Data> {
  /** The cursor that came with what is shown: while it is undefined nothing is followed yet. Left out where there is none. */
  after?: string | undefined;
  next: (data: Data) => void;
  /** What is shown has to be read anew. Where there is a cursor, it is followed again from that of the new reading. */
  lost: () => void;
  /** Whether the viewer may follow this at all; yes unless told. */
  isAllowed?: boolean;
}

/** Follows a subscription while the component is shown, from where its data stand. */
export function useLive<Data, Variables>(
  document: TypedDocumentNode<Data, Variables>,
  variables: Variables,
  options: LiveOptions<Data>,
): void {
  const { after, next, lost, isAllowed = true } = options;
  const latest = useRef({ next, lost, after });
  useEffect(() => {
    latest.current = { next, lost, after };
  });
  /** The cursor that was refused, and how often one was. */
  const [refused, setRefused] = useState<{ cursor?: string | undefined; times: number }>({ times: 0 });
  const inARow = useRef(0);
  const key = JSON.stringify(variables);
  const isReady = isAllowed && (!('after' in options) || (after !== undefined && after !== refused.cursor));
  useEffect(() => {
    if (!isReady) return undefined;
    const cursor = latest.current.after;
    let callOff = () => {};
    const later = (waitMs: number, work: () => void) => {
      callOff();
      callOff = afterInSight(waitMs, work);
    };
    const leave = follow<Data, Variables>(document, JSON.parse(key) as Variables, {
      after: cursor,
      next: (data) => {
        inARow.current = 0;
        latest.current.next(data);
      },
      lost: () => later(0, () => latest.current.lost()),
      outdated: () => {
        const waitMs = inARow.current === 0 ? 0 : Math.min(60_000, 1_000 * 2 ** inARow.current);
        inARow.current += 1;
        later(waitMs, () => {
          setRefused(({ times }) => ({ cursor, times: times + 1 }));
          latest.current.lost();
        });
      },
    });
    return () => {
      callOff();
      leave();
    };
  }, [document, key, isReady, refused.times]);
}
