import { useCallback, useEffect, useRef, useState } from 'react';
import { useClient, type AnyVariables, type CombinedError, type TypedDocumentNode } from 'urql';

export interface PagePart<Row> {
  nodes: readonly Row[];
  totalCount?: number;
  pageInfo: { endCursor: string | null; hasNextPage: boolean };
  /** Where the list's events go on. */
  cursor?: string;
}

interface Pages<Row> {
  rows: readonly Row[] | undefined;
  end: string | null;
  hasMore: boolean;
  cursor: string | undefined;
  error: CombinedError | undefined;
}

const nothing = { rows: undefined, end: null, hasMore: false, cursor: undefined, error: undefined };

/** A list that is read page by page and kept up to date by single rows. */
export function usePages<Data, Variables extends AnyVariables, Row extends { id: string }>(
  document: TypedDocumentNode<Data, Variables>,
  variables: Variables,
  pick: (data: Data) => PagePart<Row>,
) {
  const client = useClient();
  const [pages, setPages] = useState<Pages<Row>>(nothing);
  const key = JSON.stringify(variables);
  const picked = useRef(pick);
  const turn = useRef(0);

  const load = useCallback(
    async (after: string | null) => {
      const mine = after === null ? (turn.current += 1) : turn.current;
      const given = { ...(JSON.parse(key) as Variables), after } as Variables;
      const { data, error } = await client
        .query(document, given, { requestPolicy: 'network-only' })
        .toPromise();
      // Another list was asked for meanwhile.
      if (mine !== turn.current) return;
      if (!data) return setPages((before) => ({ ...before, error }));
      const { nodes, pageInfo, cursor } = picked.current(data);
      setPages((before) => ({
        rows: after === null ? nodes : [...(before.rows ?? []), ...nodes.filter(isNewTo(before.rows ?? []))],
        end: pageInfo.endCursor,
        hasMore: pageInfo.hasNextPage,
        cursor: before.cursor ?? cursor,
        error: undefined,
      }));
    },
    [client, document, key],
  );

  useEffect(() => {
    setPages(nothing);
    void load(null);
  }, [load]);

  /** Puts a row in the place of an older one, or first. */
  const put = useCallback((row: Row) => {
    setPages((before) => {
      const rows = before.rows ?? [];
      const isKnown = rows.some(({ id }) => id === row.id);
      return {
        ...before,
        rows: isKnown ? rows.map((one) => (one.id === row.id ? row : one)) : [row, ...rows],
      };
    });
  }, []);

  return {
    ...pages,
    put,
    reload: useCallback(() => void load(null), [load]),
    more: useCallback(() => void load(pages.end), [load, pages.end]),
  };
}

function isNewTo<Row extends { id: string }>(rows: readonly Row[]): (row: Row) => boolean {
  const known = new Set(rows.map(({ id }) => id));
  return ({ id }) => !known.has(id);
}
