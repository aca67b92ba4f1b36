import { Fragment, useEffect, useRef, useState, type ReactNode } from 'react';
import { useMutation, type AnyVariables, type TypedDocumentNode } from 'urql';

import { problemOf, type Told } from '../api/problem.ts';
import { announce } from './announce.tsx';
import { FaultsOf, nothingPlaced, place } from './faults.tsx';
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
    onCancel,
    children,
  } = props;
  const [{ fetching }, run] = useMutation(document);
  const [{ beside, told }, setPlaced] = useState(nothingPlaced);
  /** What was sent is empty again: a form's own reset would leave choices at other values than React has for them. */
  const [turn, setTurn] = useState(0);
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => {
    const faulty = form.current?.querySelector<HTMLElement>('[aria-invalid="true"]');
    faulty?.closest('details')?.setAttribute('open', '');
    faulty?.focus();
  }, [beside]);
  const send = async () => {
    const { data, error } = await run(variables(new FormData(form.current!)));
    const refusal = error && problemOf(error);
    // A form in a dialog may have been left meanwhile.
    setPlaced(refusal && form.current ? place(form.current, refusal) : nothingPlaced);
    if (refusal) onRefused?.(refusal);
    if (!data) return;
    setTurn((before) => before + 1);
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
