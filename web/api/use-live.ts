import type { TypedDocumentNode } from '@urql/core';
import { useEffect, useRef } from 'react';

import { follow } from './socket.ts';

export interface LiveOptions<Data> {
  /** The cursor that came with what is shown: while it is undefined nothing is followed yet. Left out where there is none. */
  after?: string | undefined;
  next: (data: Data) => void;
  /** What is shown has to be read anew. */
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
  const key = JSON.stringify(variables);
  const isReady = isAllowed && (!('after' in options) || after !== undefined);
  useEffect(() => {
    if (!isReady) return undefined;
    return follow<Data, Variables>(document, JSON.parse(key) as Variables, {
      after: latest.current.after,
      next: (data) => latest.current.next(data),
      lost: () => latest.current.lost(),
    });
  }, [document, key, isReady]);
}
