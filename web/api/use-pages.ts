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
  /** Rows that were put while a reading is under way, newer than what it says. */
  const put = useRef(new Map<string, Row>());

  const load = useCallback(
    async (after: string | null) => {
      const mine = after === null ? (turn.current += 1) : turn.current;
      if (after === null) put.current.clear();
      const given = { ...(JSON.parse(key) as Variables), after } as Variables;
      const { data, error } = await client
        .query(document, given, { requestPolicy: 'network-only' })
        .toPromise();
      // Another list was asked for meanwhile.
      if (mine !== turn.current) return;
      if (!data) return setPages((before) => ({ ...before, error }));
      const part = picked.current(data);
      const news = new Map(put.current);
      setPages((before) => (after === null ? readAnew(before, part, news) : withNext(before, part)));
    },
    [client, document, key],
  );

  useEffect(() => {
    setPages(nothing);
    void load(null);
  }, [load]);

  /** Puts a row in the place of an older one, or first. */
  const putRow = useCallback((row: Row) => {
    put.current.set(row.id, row);
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
    put: putRow,
    reload: useCallback(() => void load(null), [load]),
    more: useCallback(() => void load(pages.end), [load, pages.end]),
  };
}

/** The first page again. Rows of later pages stay as they are, as long as the list reaches to them without a gap. */
function readAnew<Row extends { id: string }>(
  before: Pages<Row>,
  { nodes, pageInfo, cursor }: PagePart<Row>,
  news: ReadonlyMap<string, Row>,
): Pages<Row> {
  const shown = before.rows ?? [];
  const places = new Map(shown.map(({ id }, at) => [id, at]));
  const lastKnown = nodes.findLast(({ id }) => places.has(id));
  const isLonger = pageInfo.hasNextPage && lastKnown !== undefined;
  const later = isLonger ? shown.slice(places.get(lastKnown.id)! + 1).filter(isNewTo(nodes)) : [];
  const page = nodes.map((row) => news.get(row.id) ?? row);
  const kept = [...page, ...later];
  return {
    rows: [...[...news.values()].filter(isNewTo(kept)).toReversed(), ...kept],
    end: later.length > 0 ? before.end : pageInfo.endCursor,
    hasMore: later.length > 0 ? before.hasMore : pageInfo.hasNextPage,
    cursor,
    error: undefined,
  };
}

function withNext<Row extends { id: string }>(
  before: Pages<Row>,
  { nodes, pageInfo }: PagePart<Row>,
): Pages<Row> {
  const shown = before.rows ?? [];
  return {
    ...before,
    rows: [...shown, ...nodes.filter(isNewTo(shown))],
    end: pageInfo.endCursor,
    hasMore: pageInfo.hasNextPage,
    error: undefined,
  };
}

function isNewTo<Row extends { id: string }>(rows: readonly Row[]): (row: Row) => boolean {
  const known = new Set(rows.map(({ id }) => id));
  return ({ id }) => !known.has(id);
}
