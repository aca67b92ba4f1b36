import { useState } from 'react';

import type { OrderedCommand, PolicyRemedyInput, PolicyRowFragment } from '../generated/graphql.ts';
import { Choice, Field } from '../parts/field.tsx';
import { textOf } from '../parts/form.ts';

type Remedy = PolicyRowFragment['remediation'];

const commands: readonly { value: '' | OrderedCommand; text: string }[] = [
  { value: '', text: 'Nothing: people do' },
  { value: 'UPDATE', text: 'An update' },
  { value: 'RESTART', text: 'A restart' },
  { value: 'BACKUP', text: 'A backup' },
  { value: 'RUN_DIAGNOSTICS', text: 'Diagnostics' },
  { value: 'APPLY_POLICY', text: 'The node itself, which is sent the policy' },
];

/** The command that mends what the policy finds. */
export function RemedyFields({ remedy }: { remedy: Remedy }) {
  const [command, setCommand] = useState<'' | OrderedCommand>(remedy?.command ?? '');
  const version = remedy?.command === 'UPDATE' ? remedy.params['version'] : undefined;
  return (
    <>
      <Choice
        label="What mends it"
        name="remediation.command"
        value={command}
        options={commands}
        onChange={setCommand}
      />
      {command === 'UPDATE' && (
        <Field
          label="To version"
          name="remediation.params.version"
          required
          defaultValue={typeof version === 'string' ? version : ''}
          hint="As in 0.3.0."
        />
      )}
      {command !== '' && (
        <label className="check">
          <input
            type="checkbox"
            name="remediation.isAutomatic"
            defaultChecked={remedy?.isAutomatic ?? false}
          />{' '}
          Send it by itself where the policy does not hold: to one instance at most once an hour
        </label>
      )}
    </>
  );
}

/** What was filled in. Of a command that stays, what it takes stays too. */
export function remedyOf(form: FormData, before: Remedy): PolicyRemedyInput | null {
  const command = textOf(form, 'remediation.command') as '' | OrderedCommand;
  if (command === '') return null;
  const kept = before?.command === command ? before.params : {};
  const params =
    command === 'UPDATE' ? { ...kept, version: textOf(form, 'remediation.params.version') } : kept;
  return { command, params, isAutomatic: form.get('remediation.isAutomatic') === 'on' };
}

/** The same of a remedy that is there. */
export function remedyAs({ command, params, isAutomatic }: NonNullable<Remedy>): PolicyRemedyInput {
  return { command, params, isAutomatic };
}
