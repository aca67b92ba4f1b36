import { useRef, type ReactNode } from 'react';

import type { Told } from '../api/problem.ts';
import { Card } from './card.tsx';
import { Problem } from './problem.tsx';
import { useKeptFocus } from './use-kept-focus.ts';

interface ListingProps<Row> {
  title: string;
  rows: readonly Row[] | undefined;
  told?: Told | undefined;
  retry?: () => void;
  /** What of it is shown, where that is not all. */
  note?: string | undefined;
  /** Which of it is shown. */
  filters?: ReactNode;
  /** Why there is nothing, and the first step. */
  empty: ReactNode;
  /** More than are shown; how to see them. */
  more?: (() => void) | undefined;
  render: (row: Row) => ReactNode;
  keyOf: (row: Row) => string;
}

/** A list under its heading, with what it says while it is empty. */
export function Listing<Row>(props: ListingProps<Row>) {
  const { title, rows, told, retry, note, filters, empty, more, render, keyOf } = props;
  const heading = useRef<HTMLHeadingElement>(null);
  const keptFocus = useKeptFocus(heading);
  return (
    <Card title={title} className="wide" isReading={rows === undefined && !told} heading={heading}>
      <Problem told={told} {...(retry ? { retry } : {})} />
      {filters && (
        <form className="filters" onSubmit={(event) => event.preventDefault()}>
          {filters}
        </form>
      )}
      {rows?.length === 0 && <p>{empty}</p>}
      {note && <p className="quiet">{note}</p>}
      <ul className="rows" aria-label={title} {...keptFocus}>
        {rows?.map((row) => (
          <li key={keyOf(row)} className="row">
            {render(row)}
          </li>
        ))}
      </ul>
      {more && (
        <button type="button" onClick={more}>
          Show more
        </button>
      )}
    </Card>
  );
}
