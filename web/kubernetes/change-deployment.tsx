import { useState } from 'react';

import { UpdateDeploymentDocument, type DeploymentDetailFragment } from '../generated/graphql.ts';
import { ActionForm } from '../parts/action-form.tsx';
import { Card } from '../parts/card.tsx';
import { changedOf } from '../parts/changed.ts';
import { textOf } from '../parts/form.ts';
import { conflictsOf, TakeOver, type Conflict } from './conflicts.tsx';
import { changedVariablesOf, ImageFields, VariablesChange } from './image-fields.tsx';

interface ChangeDeploymentProps {
  deployment: DeploymentDetailFragment;
  onChange: () => void;
}

/** Another image, number of replicas or other variables; where others own what that changes, it is offered to take it from them. */
export function ChangeDeployment({ deployment, onChange }: ChangeDeploymentProps) {
  const { id, image, replicas, reason, envNames } = deployment;
  const [conflicts, setConflicts] = useState<readonly Conflict[]>([]);
  const isContested = conflicts.length > 0 || reason === 'FIELD_CONFLICT';
  return (
    <Card title="Change it">
      <ActionForm
        document={UpdateDeploymentDocument}
        variables={(form) => {
          const filled = { image: textOf(form, 'image'), replicas: Number(form.get('replicas')) };
          // Where others own something all of it is sent: what is shown is theirs, and the panel wanted another.
          const changes = isContested ? filled : changedOf({ image, replicas }, filled);
          const takesOver = form.get('takesOver') === 'on';
          return { id, input: { ...changes, ...changedVariablesOf(form), takesOver } };
        }}
        submit="Change it"
        done="It is being changed."
        onDone={() => {
          setConflicts([]);
          onChange();
        }}
        onRefused={(told) => setConflicts(conflictsOf(told))}
      >
        <ImageFields image={image} replicas={replicas} />
        <VariablesChange names={envNames ?? []} />
        {isContested && <TakeOver conflicts={conflicts} />}
      </ActionForm>
    </Card>
  );
}
