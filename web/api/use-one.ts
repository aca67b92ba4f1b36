import { useCallback, useEffect, useRef, useState } from 'react';
import { useClient, type AnyVariables, type TypedDocumentNode } from 'urql';

import { problemOf, type Told } from './problem.ts';
import { useAfterConnecting } from './use-after-connecting.ts';
import { useAgain } from './use-again.ts';
import { useLive } from './use-live.ts';

interface OneOptions<Data, Event, Variables, Row> {
  query: TypedDocumentNode<Data, Variables>;
  /** Its events carry it as it is by then. */
  events: TypedDocumentNode<Event, Variables>;
  variables: Variables;
  pick: (data: Data) => Row;
  pickEvent: (event: Event) => Row;
}

interface One<Row> {
  row: Row | undefined;
  told: Told | undefined;
}

/** One thing, as it was read and as its events tell it since. Of other variables it has to be made anew, by its key. */
export function useOne<Data, Event, Variables extends AnyVariables, Row>(
  options: OneOptions<Data, Event, Variables, Row>,
) {
  const client = useClient();
  const [one, setOne] = useState<One<Row>>({ row: undefined, told: undefined });
  const latest = useRef(options);
  const turn = useRef(0);
  /** What was told while a reading is under way, newer than what it says. */
  const news = useRef<Row>(undefined);

  const read = useCallback(async () => {
    const mine = (turn.current += 1);
    news.current = undefined;
    const { query, variables, pick } = latest.current;
    const { data, error } = await client
      .query(query, variables, { requestPolicy: 'network-only' })
      .toPromise();
    if (mine !== turn.current) return;
    if (data) return setOne({ row: news.current ?? pick(data), told: undefined });
    const told = error && problemOf(error);
    // What is not there any more is not shown; what could not be read just now is.
    setOne(({ row }) => ({ row: told?.code === 'NOT_FOUND' ? undefined : row, told }));
  }, [client]);
  const again = useCallback(() => void read(), [read]);

  useEffect(again, [again]);
  useLive(options.events, options.variables, {
    next: (event) => {
      const row = latest.current.pickEvent(event);
      news.current = row;
      setOne(({ told }) => ({ row, told }));
    },
    lost: again,
  });
  useAfterConnecting(again);
  useAgain(one.told, again);
  return { ...one, read: again };
}
