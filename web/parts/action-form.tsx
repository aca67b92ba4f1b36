import { Fragment, useEffect, useRef, useState, type ReactNode } from 'react';
import { useMutation, type AnyVariables, type TypedDocumentNode } from 'urql';

import { changeBy, problemOf, type Told } from '../api/problem.ts';
import { announce } from './announce.tsx';
import { FaultsOf, focusFirstFaulty, nothingPlaced, place } from './faults.tsx';
import { Problem } from './problem.tsx';

export interface ActionFormProps<Data, Variables extends AnyVariables> {
  document: TypedDocumentNode<Data, Variables>;
  /** What is sent, of what was filled in. */
  variables: (form: FormData) => Variables;
  submit: string;
  /** What is said when it is done. */
  done: string;
  onDone?: (data: Data) => void;
  onRefused?: (told: Told) => void;
  /** What the form says is wrong before anything is sent. */
  problem?: Told | undefined;
  isDisabled?: boolean;
  /** When it is done what was filled in stays: that is how it is from now on. Otherwise the form is empty again. */
  keepsFilled?: boolean;
  /** Leaves without doing it. */
  onCancel?: () => void;
  children: ReactNode;
}

/**
 * A form that does one thing, says that it is done, and keeps what was typed when it is refused. What is wrong with a field
 * stands beside the one that has its name, and the first of those has the focus.
 */
export function ActionForm<Data, Variables extends AnyVariables>(props: ActionFormProps<Data, Variables>) {
  const {
    document,
    variables,
    submit,
    done,
    onDone,
    onRefused,
    problem,
    isDisabled = false,
    keepsFilled = false,
    onCancel,
    children,
  } = props;
  const [{ fetching }, run] = useMutation(document);
  const [{ beside, told }, setPlaced] = useState(nothingPlaced);
  /** What was sent is empty again: a form's own reset would leave choices at other values than React has for them. */
  const [turn, setTurn] = useState(0);
  const form = useRef<HTMLFormElement>(null);
  const [answers, setAnswers] = useState(0);
  /** What had the focus when it was sent. */
  const sentFrom = useRef<Element>(null);
  useEffect(() => focusFirstFaulty(form.current), [beside]);
  useEffect(() => {
    if (answers > 0 && form.current) giveBack(form.current, sentFrom.current);
  }, [answers]);
  const send = async () => {
    sentFrom.current = window.document.activeElement;
    let given: Variables;
    try {
      given = variables(new FormData(form.current!));
    } catch (error) {
      setPlaced({ beside: {}, told: { code: 'NOT_SENT', text: unsent(error) } });
      return;
    }
    const { data, error } = await run(given);
    // Where there is data it is done, and what could not be read of it is read anew.
    const refusal = data ? undefined : error && problemOf(error, changeBy(given));
    setPlaced(refusal && form.current ? place(form.current, refusal) : nothingPlaced);
    // A form in a dialog may have been left meanwhile.
    if (refusal && !form.current) announce(refusal.isInDoubt ? refusal.text : `Not done: ${refusal.text}`);
    setAnswers((before) => before + 1);
    if (refusal) onRefused?.(refusal);
    if (!data) return;
    if (!keepsFilled) setTurn((before) => before + 1);
    announce(done);
    onDone?.(data);
  };
  return (
    <form
      ref={form}
      className="form"
      onSubmit={(event) => {
        event.preventDefault();
        void send();
      }}
    >
      <FaultsOf value={beside}>
        <Fragment key={turn}>{children}</Fragment>
      </FaultsOf>
      <Problem told={problem ?? told} />
      <div className="actions">
        <button className="main" disabled={fetching || isDisabled}>
          {submit}
        </button>
        {onCancel && (
          <button type="button" onClick={onCancel}>
            Cancel
          </button>
        )}
      </div>
    </form>
  );
}

function unsent(error: unknown): string {
  const reason = error instanceof Error ? ` (${error.message})` : '';
  return `Nothing was sent: something that is filled in can not be read${reason}.`;
}

/** Gives the focus to what has taken the place of what had it: fields are made anew, and a button that is off loses it. */
function giveBack(form: HTMLFormElement, before: Element | null): void {
  if (window.document.activeElement !== window.document.body) return;
  const name = before?.getAttribute('name');
  const same = name ? form.querySelector<HTMLElement>(`[name="${CSS.escape(name)}"]`) : null;
  const main = form.querySelector<HTMLElement>('button.main:not(:disabled)');
  (same ?? main)?.focus();
}
