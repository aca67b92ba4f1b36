import type { TypedDocumentNode } from '@urql/core';

import { useAfterConnecting } from './use-after-connecting.ts';
import { useLive } from './use-live.ts';

interface AppendedOptions<Data> {
  /** Shows what was added. */
  next: (data: Data) => void;
  /** Reads what is shown; another one where another list is shown. */
  read: () => void;
}

/**
 * Follows a list that is only ever added to, by events that carry what was: nothing is read for them. It is read after each
 * connection, when another list is shown, and where events were missed.
 */
export function useAppended<Data, Variables>(
  document: TypedDocumentNode<Data, Variables>,
  variables: Variables,
  { next, read }: AppendedOptions<Data>,
): void {
  useLive(document, variables, { next, lost: read });
  useAfterConnecting(read);
}
