import type { ReactNode } from 'react';

import type { Told } from '../api/problem.ts';
import { NoSuchPage } from '../app/no-such-page.tsx';
import { Problem } from './problem.tsx';

interface OneProps<Row> {
  /** What it is, for while it is read: `the server`. */
  what: string;
  row: Row | null | undefined;
  told: Told | undefined;
  retry: () => void;
  children: (row: Row) => ReactNode;
}

/**
 * The frame of a page of one thing: what is said while it is read, and when it is not there. What was read stays while it
 * can not be read anew, with the reason above it.
 */
export function One<Row>({ what, row, told, retry, children }: OneProps<Row>) {
  if (told?.code === 'NOT_FOUND') return <NoSuchPage />;
  const isThere = row !== undefined && row !== null;
  return (
    <>
      <Problem told={told} retry={retry} />
      {isThere && children(row)}
      {!isThere && !told && <p role="status">Reading {what}…</p>}
    </>
  );
}
