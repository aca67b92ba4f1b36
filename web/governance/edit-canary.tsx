import { useState } from 'react';

import { UpdateCanaryDocument, type CanaryRowFragment } from '../generated/graphql.ts';
import { changedOf } from '../parts/changed.ts';
import { Field } from '../parts/field.tsx';
import { FormDialog } from '../parts/form-dialog.tsx';
import { textOf, wordsIn } from '../parts/form.ts';
import { StepFields, stepsOf } from './careful.tsx';

interface EditCanaryProps {
  canary: CanaryRowFragment;
  onClose: () => void;
  onChange: () => void;
}

/** Name and steps of a canary that has not begun. Whom it is for, and with what, was settled when it was made. */
export function EditCanary({ canary, onClose, onChange }: EditCanaryProps) {
  const [{ id, name, steps }] = useState(canary);
  const [typed, setTyped] = useState(steps.map(({ percent }) => percent).join(', '));
  const percents = wordsIn(typed);
  const before = {
    name,
    steps: steps.map(({ percent, bakeSeconds, waits }) => ({ percent, bakeSeconds, waits })),
  };
  return (
    <FormDialog
      title={`Edit ${name}`}
      document={UpdateCanaryDocument}
      variables={(form) => ({
        id,
        input: changedOf(before, { name: textOf(form, 'name'), steps: stepsOf(form, percents) }),
      })}
      submit="Save"
      done="The canary is changed."
      onClose={onClose}
      onDone={onChange}
    >
      <Field label="Name" name="name" required maxLength={200} defaultValue={name} />
      <Field
        label="Steps, in percent"
        name="steps"
        required
        value={typed}
        onChange={({ target }) => setTyped(target.value)}
        pattern="[0-9, ]+"
        hint="Rising, separated by commas. The rest follows after the last one."
      />
      <StepFields steps={percents} before={steps} />
    </FormDialog>
  );
}
