import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import {
  createRequest,
  useClient,
  type AnyVariables,
  type CombinedError,
  type TypedDocumentNode,
} from 'urql';

import { problemOf } from './problem.ts';
import { useAgain } from './use-again.ts';

export interface PagePart<Row> {
  nodes: readonly Row[];
  totalCount?: number;
  pageInfo: { endCursor: string | null; hasNextPage: boolean };
  /** Where the list's events go on. */
  cursor?: string;
}

interface Pages<Row> {
  rows: readonly Row[] | undefined;
  /** How many the whole list has, where that is asked for. */
  total: number | undefined;
  end: string | null;
  hasMore: boolean;
  cursor: string | undefined;
  error: CombinedError | undefined;
}

const nothing = {
  rows: undefined,
  total: undefined,
  end: null,
  hasMore: false,
  cursor: undefined,
  error: undefined,
};

/** How many pages of each list were shown last, by its query: whoever comes back to it finds as many, or the first few. */
const shownOf = new Map<number, number>();

/** Whoever comes back has not asked for the pages behind these, which are read one after another. */
const mostFoundAgain = 5;

/** A list that is read page by page, from the start or from the `after` of its variables, and kept up to date by single rows. */
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

  /** What is reading all pages, of which list, and whether something of it has changed since. */
  const underWay = useRef<{ readPart: unknown; isOld: boolean }>(undefined);

  /** How many pages are shown: all of them are read anew, since any row may have changed. */
  const shown = useRef(1);

  const list = useMemo(() => createRequest(document, JSON.parse(key) as Variables).key, [document, key]);

  const readPart = useCallback(
    async (after: string | null): Promise<PageRead<Row>> => {
      const given = { ...(JSON.parse(key) as Variables), ...(after === null ? {} : { after }) };
      const answer = await client.query(document, given, { requestPolicy: 'network-only' }).toPromise();
      return { part: answer.data && picked.current(answer.data), error: answer.error };
    },
    [client, document, key],
  );

  const readAll = useCallback(async () => {
    // It goes on, and again after that: begun anew each time, it would not end where changes come faster than it reads.
    if (underWay.current?.readPart === readPart) return void (underWay.current.isOld = true);
    const mine = { readPart, isOld: true };
    underWay.current = mine;
    while (mine.isOld) {
      mine.isOld = false;
      turn.current += 1;
      put.current.clear();
      for await (const reading of readingOf(readPart, shown)) {
        // Another list was asked for meanwhile, or none.
        if (underWay.current !== mine) return;
        const news = new Map(put.current);
        setPages((before) => afterReading(before, reading, news));
      }
    }
    if (underWay.current === mine) underWay.current = undefined;
  }, [readPart]);

  const readMore = useCallback(
    async (after: string | null) => {
      const showOneMore = () => {
        shown.current += 1;
        shownOf.set(list, Math.min(shown.current, mostFoundAgain));
      };
      // What is being read goes on to it.
      if (underWay.current?.readPart === readPart) return showOneMore();
      const mine = turn.current;
      const { part, error } = await readPart(after);
      if (mine === turn.current) {
        setPages((before) => (part ? withNext(before, part) : { ...before, error }));
      }
      // A reading that has begun meanwhile reaches to it as well.
      if (part) showOneMore();
    },
    [readPart, list],
  );

  useEffect(() => {
    setPages(nothing);
    shown.current = shownOf.get(list) ?? 1;
    void readAll();
    return () => {
      underWay.current = undefined;
    };
  }, [readAll, list]);

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

  const reload = useCallback(() => void readAll(), [readAll]);
  useAgain(pages.error && problemOf(pages.error), reload);

  return {
    ...pages,
    put: putRow,
    reload,
    more: useCallback(() => void readMore(pages.end), [readMore, pages.end]),
  };
}

interface PageRead<Row> {
  part: PagePart<Row> | undefined;
  error: CombinedError | undefined;
}

type Reading<Row> = { parts: readonly PagePart<Row>[]; isWhole: boolean } | Pick<PageRead<Row>, 'error'>;

/** Reads as many pages as are shown by then. Tells after each what there is so far, or why it could not be read. */
async function* readingOf<Row>(
  readPart: (after: string | null) => Promise<PageRead<Row>>,
  shown: { readonly current: number },
): AsyncGenerator<Reading<Row>> {
  const parts: PagePart<Row>[] = [];
  let after: string | null = null;
  do {
    const { part, error } = await readPart(after);
    if (!part) return yield { error };
    parts.push(part);
    after = part.pageInfo.hasNextPage ? part.pageInfo.endCursor : null;
    yield { parts: [...parts], isWhole: after === null || parts.length >= shown.current };
  } while (after !== null && parts.length < shown.current);
}

/** A list that is read for the first time is shown as its pages come; of one that is there nothing goes meanwhile. */
function afterReading<Row extends { id: string }>(
  before: Pages<Row>,
  reading: Reading<Row>,
  news: ReadonlyMap<string, Row>,
): Pages<Row> {
  if (!('parts' in reading)) return { ...before, error: reading.error };
  const now = readAnew(reading.parts, news);
  return reading.isWhole || now.rows.length >= (before.rows?.length ?? 0) ? now : before;
}

/** Pages as they are now, with the rows before them that were put meanwhile and are in none. */
function readAnew<Row extends { id: string }>(
  parts: readonly PagePart<Row>[],
  news: ReadonlyMap<string, Row>,
): Pages<Row> & { rows: readonly Row[] } {
  const page = [...new Map(parts.flatMap(({ nodes }) => nodes).map((row) => [row.id, row])).values()];
  const { endCursor, hasNextPage } = parts.at(-1)!.pageInfo;
  return {
    rows: [
      ...[...news.values()].filter(isNewTo(page)).toReversed(),
      ...page.map((row) => news.get(row.id) ?? row),
    ],
    total: parts.at(-1)!.totalCount,
    end: endCursor,
    hasMore: hasNextPage,
    // Events from the first page's reading on: those after it are told again, and none is missed.
    cursor: parts[0]!.cursor,
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
