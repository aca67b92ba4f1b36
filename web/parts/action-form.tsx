import { useRef, type ReactNode } from 'react';
import { useMutation, type AnyVariables, type TypedDocumentNode } from 'urql';

import { problemOf, type Told } from '../api/problem.ts';
import { announce } from './announce.tsx';
import { Problem } from './problem.tsx';

interface ActionFormProps<Data, Variables extends AnyVariables> {
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
  children: ReactNode;
}

/** A form that does one thing, says that it is done, and keeps what was typed when it is refused. */
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
    children,
  } = props;
  const [{ fetching, error }, run] = useMutation(document);
  const form = useRef<HTMLFormElement>(null);
  const send = async () => {
    const { data, error: refusal } = await run(variables(new FormData(form.current!)));
    if (refusal) onRefused?.(problemOf(refusal));
    if (!data) return;
    form.current?.reset();
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
      {children}
      <Problem told={problem ?? (error && problemOf(error))} />
      <button className="main" disabled={fetching || isDisabled}>
        {submit}
      </button>
    </form>
  );
}
