import { useState } from 'react';

import { CreateCanaryDocument, type OrderedCommand } from '../generated/graphql.ts';
import { ActionForm } from '../parts/action-form.tsx';
import { Card } from '../parts/card.tsx';
import { Choice, Field } from '../parts/field.tsx';
import { textOf, wordsIn } from '../parts/form.ts';
import { useOnceKeys } from '../parts/once-key.ts';
import { CarefulFields, carefulOf } from './careful.tsx';
import { appliesToOf, everyone, isForNobody, ScopeFields } from './scope.tsx';

const commands = [
  { value: 'UPDATE', text: 'Update' },
  { value: 'RESTART', text: 'Restart' },
  { value: 'BACKUP', text: 'Backup' },
  { value: 'RUN_DIAGNOSTICS', text: 'Run diagnostics' },
] as const;

const usualSteps = '10, 50';

/** A command in steps; each is watched before the next. */
export function NewCanary({ onMade }: { onMade: (id: string) => void }) {
  const [command, setCommand] = useState<OrderedCommand>('UPDATE');
  const [scope, setScope] = useState(everyone);
  const [typed, setTyped] = useState(usualSteps);
  const steps = wordsIn(typed);
  const once = useOnceKeys();
  return (
    <Card title="New canary" className="wide">
      <ActionForm
        document={CreateCanaryDocument}
        variables={(form) => ({
          input: once.keyed({
            name: textOf(form, 'name'),
            command,
            params: command === 'UPDATE' ? { version: textOf(form, 'version') } : {},
            appliesTo: appliesToOf(scope),
            maxFailures: Number(form.get('maxFailures')),
            ...carefulOf(form, steps, Number(form.get('bake')) * 60),
          }),
        })}
        submit="Begin"
        isDisabled={isForNobody(scope)}
        done="The canary is made."
        onDone={({ createCanary }) => {
          setScope(everyone);
          setTyped(usualSteps);
          once.done();
          onMade(createCanary.id);
        }}
      >
        <Field label="Name of the canary" name="name" required maxLength={200} />
        <Choice label="Command" value={command} options={commands} onChange={setCommand} />
        {command === 'UPDATE' && <Field label="To version" name="version" required hint="As in 0.3.0." />}
        <Field
          label="Steps, in percent"
          name="steps"
          required
          value={typed}
          onChange={({ target }) => setTyped(target.value)}
          pattern="[0-9, ]+"
          hint="Rising, separated by commas. The rest follows after the last one."
        />
        <Field
          label="Each watched for, in minutes"
          name="bake"
          type="number"
          min={0}
          max={10_080}
          defaultValue={10}
          required
        />
        <Field
          label="Failures that are borne"
          name="maxFailures"
          type="number"
          min={0}
          max={10_000}
          defaultValue={0}
          required
          hint="With one more it is taken back."
        />
        <ScopeFields scope={scope} onChange={setScope} />
        <CarefulFields steps={steps} />
      </ActionForm>
    </Card>
  );
}
