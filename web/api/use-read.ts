import { useCallback, useMemo, useState } from 'react';
import {
  useQuery,
  type AnyVariables,
  type CombinedError,
  type RequestPolicy,
  type TypedDocumentNode,
} from 'urql';

import { problemOf, type Told } from './problem.ts';

export interface ReadOptions<Variables> {
  variables?: Variables;
  /** While it is true nothing is asked. */
  pause?: boolean;
  requestPolicy?: RequestPolicy;
}

export interface Reading<Data> {
  /** Of the variables that were given, never of those before; what was read last while a later reading fails. */
  data: Data | undefined;
  error: CombinedError | undefined;
  told: Told | undefined;
  read: () => void;
}

/** What a page shows, and how it is read anew. */
export function useRead<Data, Variables extends AnyVariables>(
  query: TypedDocumentNode<Data, Variables>,
  { variables, ...options }: ReadOptions<Variables> = {},
): Reading<Data> {
  const given = variables ?? ({} as Variables);
  const key = JSON.stringify(given);
  const [{ operation, ...answer }, again] = useQuery<Data, Variables>({
    query,
    variables: given,
    ...options,
  });
  const [kept, setKept] = useState<{ key: string; data: Data }>();
  // While others are asked for, urql answers with what was asked for before.
  const isOfThese = operation !== undefined && JSON.stringify(operation.variables) === key;
  const fresh = isOfThese ? (answer.data ?? undefined) : undefined;
  const error = isOfThese ? answer.error : undefined;
  const told = useMemo(() => error && problemOf(error), [error]);
  if (fresh !== undefined && kept?.data !== fresh) setKept({ key, data: fresh });
  // What is not there any more is not shown; what could not be read just now is.
  const last = kept?.key === key && told?.code !== 'NOT_FOUND' ? kept.data : undefined;
  const read = useCallback(() => again({ requestPolicy: 'network-only' }), [again]);
  return { data: fresh ?? last, error, told, read };
}
