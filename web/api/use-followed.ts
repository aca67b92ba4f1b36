import type { TypedDocumentNode } from '@urql/core';

import { useAfterConnecting } from './use-after-connecting.ts';
import { useLive } from './use-live.ts';
import { useThrottled } from './use-throttled.ts';

/** A fleet at work changes all the time, and whoever looks at it draws on what the tenant may ask. */
const everyMs = 5_000;

/** Reads again after events, at most once in five seconds, for lists whose reading tells no cursor. */
export function useFollowed<Data, Variables>(
  document: TypedDocumentNode<Data, Variables>,
  variables: Variables,
  read: () => void,
  isAllowed = true,
  /** Whether an event is worth a reading. */
  isAbout: (data: Data) => boolean = () => true,
): void {
  const readSoon = useThrottled(read, everyMs);
  useLive(document, variables, {
    next: (data) => isAbout(data) && readSoon(),
    lost: readSoon,
    isAllowed,
  });
  useAfterConnecting(readSoon, isAllowed);
}
