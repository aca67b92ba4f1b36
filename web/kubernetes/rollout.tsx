import { useState, type ReactNode } from 'react';
import type { AnyVariables, TypedDocumentNode } from 'urql';

import {
  RestartDeploymentDocument,
  RollBackDeploymentDocument,
  type DeploymentDetailFragment,
} from '../generated/graphql.ts';
import { FormDialog } from '../parts/form-dialog.tsx';
import { useOnceKeys } from '../parts/once-key.ts';
import { plural } from '../parts/words.ts';
import { conflictsOf, TakeOver, type Conflict } from './conflicts.tsx';

interface RestartProps {
  deployment: Pick<DeploymentDetailFragment, 'id' | 'name'>;
  onChange: () => void;
}

/** Has all pods of a deployment replaced. */
export function Restart({ deployment: { id, name }, onChange }: RestartProps) {
  const once = useOnceKeys();
  return (
    <RolloutAction
      text="Restart"
      label={`Restart ${name}`}
      document={RestartDeploymentDocument}
      variables={(takesOver) => ({ input: once.keyed({ id, takesOver }) })}
      done={`${name} is being restarted.`}
      onDone={() => {
        once.done();
        onChange();
      }}
    >
      <p>All its pods are replaced by new ones, a few at a time.</p>
    </RolloutAction>
  );
}

interface RollBackProps {
  deployment: Pick<DeploymentDetailFragment, 'id' | 'replicas'>;
  revision: number;
  onChange: () => void;
}

/** Has a deployment run what one of its revisions wanted. */
export function RollBack({ deployment: { id, replicas }, revision, onChange }: RollBackProps) {
  return (
    <RolloutAction
      text="Roll back"
      label={`Roll back to revision ${revision}`}
      document={RollBackDeploymentDocument}
      variables={(takesOver) => ({ input: { id, toRevision: revision, takesOver } })}
      done={`It is being rolled back to revision ${revision}.`}
      onDone={onChange}
    >
      <p>
        Its image, its variables and its ports become those of revision {revision}, also where a password in
        them was replaced since. It keeps its {plural(replicas, 'replica')}; its pods are replaced a few at a
        time.
      </p>
    </RolloutAction>
  );
}

interface RolloutActionProps<Data, Variables extends AnyVariables> {
  text: string;
  label: string;
  document: TypedDocumentNode<Data, Variables>;
  variables: (takesOver: boolean) => Variables;
  done: string;
  onDone: () => void;
  /** What will happen. */
  children: ReactNode;
}

/** Asks first; where others own what it would change it is offered to take it from them. */
function RolloutAction<Data, Variables extends AnyVariables>(props: RolloutActionProps<Data, Variables>) {
  const { text, label, document, variables, done, onDone, children } = props;
  const [isAsking, setAsking] = useState(false);
  const [conflicts, setConflicts] = useState<readonly Conflict[]>([]);
  const leave = () => {
    setAsking(false);
    setConflicts([]);
  };
  return (
    <>
      <button type="button" aria-label={label} aria-haspopup="dialog" onClick={() => setAsking(true)}>
        {text}
      </button>
      {isAsking && (
        <FormDialog
          title={`${label}?`}
          onClose={leave}
          document={document}
          variables={(form) => variables(form.get('takesOver') === 'on')}
          submit={text}
          done={done}
          onDone={onDone}
          onRefused={(told) => setConflicts(conflictsOf(told))}
        >
          {children}
          {conflicts.length > 0 && <TakeOver conflicts={conflicts} />}
        </FormDialog>
      )}
    </>
  );
}
