import { useState } from 'react';
import { useMutation, type AnyVariables, type TypedDocumentNode } from 'urql';

import { changeBy, problemOf, type Told } from '../api/problem.ts';
import { announce } from './announce.tsx';
import { Dialog } from './dialog.tsx';
import { Problem } from './problem.tsx';

interface ActionProps<Data, Variables extends AnyVariables> {
  document: TypedDocumentNode<Data, Variables>;
  variables: Variables;
  /** What the button says. */
  text: string;
  /** The same with what it is about, for those who don't see what it stands beside. */
  label: string;
  /** What will happen, for what can't be taken back: it is asked first. */
  confirm?: string;
  /** What is said when it is done. */
  done: string;
  onDone?: (data: Data) => void;
  onRefused?: (told: Told) => void;
  isMain?: boolean;
}

/**
 * A button that does one thing, says that it is done, and shows beside it what went wrong. While that is under way it keeps
 * the focus, which a button that is off would lose.
 */
export function Action<Data, Variables extends AnyVariables>(props: ActionProps<Data, Variables>) {
  const { document, variables, text, label, confirm, done, onDone, onRefused, isMain = false } = props;
  const [{ fetching, data: answer, error }, run] = useMutation(document);
  // Where there is data it is done, and what could not be read of it is read anew.
  const told = !answer && error ? problemOf(error, changeBy(variables)) : undefined;
  const [isAsking, setAsking] = useState(false);
  const act = async () => {
    if (fetching) return;
    const { data, error: refusal } = await run(variables);
    setAsking(false);
    if (refusal && !data) onRefused?.(problemOf(refusal, changeBy(variables)));
    if (!data) return;
    announce(done);
    onDone?.(data);
  };
  return (
    <>
      <button
        type="button"
        className={isMain ? 'main' : undefined}
        aria-label={label}
        aria-haspopup={confirm === undefined ? undefined : 'dialog'}
        aria-disabled={fetching}
        onClick={() => (confirm === undefined ? void act() : setAsking(true))}
      >
        {text}
      </button>
      <Problem told={told} />
      {isAsking && (
        <Dialog title={`${label}?`} isDismissable onClose={() => setAsking(false)}>
          <p>{confirm}</p>
          <div className="actions">
            <button type="button" className="main" aria-disabled={fetching} onClick={() => void act()}>
              {text}
            </button>
            {/* A key that is pressed twice does nothing that can't be taken back. */}
            <button type="button" autoFocus onClick={() => setAsking(false)}>
              Leave it
            </button>
          </div>
        </Dialog>
      )}
    </>
  );
}
