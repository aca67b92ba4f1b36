import { useCallback } from 'react';
import { useQuery, type AnyVariables, type TypedDocumentNode } from 'urql';

import { problemOf, type Told } from './problem.ts';

export interface ReadOptions<Variables> {
  variables?: Variables;
  /** While it is true nothing is asked. */
  pause?: boolean;
}

/** What a page shows, and how it is read anew. */
export function useRead<Data, Variables extends AnyVariables>(
  query: TypedDocumentNode<Data, Variables>,
  { variables, pause = false }: ReadOptions<Variables> = {},
): { data: Data | undefined; told: Told | undefined; read: () => void } {
  const [{ data, error }, again] = useQuery<Data, Variables>({
    query,
    variables: variables ?? ({} as Variables),
    pause,
  });
  const read = useCallback(() => again({ requestPolicy: 'network-only' }), [again]);
  return { data, told: error && problemOf(error), read };
}
