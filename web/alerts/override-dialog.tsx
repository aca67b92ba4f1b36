import { useState } from 'react';

import { useRead } from '../api/use-read.ts';
import {
  OverrideAlertRuleDocument,
  GroupNamesDocument,
  type AlertRuleRowFragment,
  type AlertSeverity,
  type OverrideRowFragment,
} from '../generated/graphql.ts';
import { Field, Select } from '../parts/field.tsx';
import { FormDialog } from '../parts/form-dialog.tsx';
import { textOf } from '../parts/form.ts';
import { Problem } from '../parts/problem.tsx';
import { words } from '../parts/words.ts';
import { severities } from './alert-search.ts';
import { firesAtOnce, groupText } from './rule-words.ts';

interface OverrideDialogProps {
  rule: AlertRuleRowFragment;
  /** The one that is changed; a new one without. */
  override?: OverrideRowFragment | undefined;
  onClose: () => void;
  onChange: () => void;
}

const longest = 86_400;
const asRule = { value: '', text: 'As the rule says' };

/** What a rule says otherwise of a group of instances. */
export function OverrideDialog({ rule, override, onClose, onChange }: OverrideDialogProps) {
  // As they were when editing began.
  const [{ kind, threshold, forSeconds, keepFiringForSeconds, overrides }] = useState(rule);
  const [before] = useState(override);
  const groups = useRead(GroupNamesDocument, { pause: before !== undefined });
  const taken = new Set(overrides.map(({ groupId }) => groupId));
  const free = groups.data?.instanceGroups.nodes.filter(({ id }) => !taken.has(id)) ?? [];
  const waits = !firesAtOnce.has(kind);
  return (
    <FormDialog
      title={`Override: ${words(kind)}`}
      document={OverrideAlertRuleDocument}
      variables={(form) => ({
        input: {
          kind,
          groupId: before?.groupId ?? textOf(form, 'groupId'),
          priority: numberOf(form, 'priority'),
          isEnabled: { on: true, off: false }[textOf(form, 'isEnabled')] ?? null,
          severity: (textOf(form, 'severity') || null) as AlertSeverity | null,
          threshold: numberOf(form, 'threshold'),
          forSeconds: numberOf(form, 'forSeconds'),
          keepFiringForSeconds: numberOf(form, 'keepFiringForSeconds'),
        },
      })}
      submit="Save"
      done={`The override of the rule ${words(kind)} is set.`}
      onClose={onClose}
      onDone={onChange}
      isDisabled={before === undefined && free.length === 0}
    >
      {before ? (
        <p>For {groupText(before)}.</p>
      ) : (
        <>
          <Problem told={groups.told} retry={groups.read} />
          {groups.data && free.length === 0 && (
            <p>There is no group that has none yet. Make one at Groups.</p>
          )}
          <Select
            label="For the group"
            name="groupId"
            options={free.map(({ id, name }) => ({ value: id, text: name }))}
          />
        </>
      )}
      <Field
        label="Priority"
        name="priority"
        type="number"
        min={1}
        max={10_000}
        required={before !== undefined}
        defaultValue={before?.priority}
        hint="Of several that are about an instance the lowest number is in force. Left empty, a new one goes last."
      />
      <Select
        label="Alerts"
        name="isEnabled"
        options={[asRule, { value: 'on', text: 'On' }, { value: 'off', text: 'Off' }]}
        defaultValue={before?.isEnabled == null ? '' : before.isEnabled ? 'on' : 'off'}
      />
      {threshold !== null && (
        <Field
          label="Limit, in percent"
          name="threshold"
          type="number"
          step="any"
          defaultValue={before?.threshold ?? ''}
          hint={`More than 0, at most 100. Left empty it is that of the rule: ${threshold} %.`}
        />
      )}
      {waits && (
        <Field
          label="Has to hold for, in seconds"
          name="forSeconds"
          type="number"
          min={0}
          max={longest}
          defaultValue={before?.forSeconds ?? ''}
          hint={`Left empty it is that of the rule: ${forSeconds}.`}
        />
      )}
      <Field
        label="Has to be gone for, in seconds"
        name="keepFiringForSeconds"
        type="number"
        min={0}
        max={longest}
        defaultValue={before?.keepFiringForSeconds ?? ''}
        hint={`Left empty it is that of the rule: ${keepFiringForSeconds}.`}
      />
      <Select
        label="Severity"
        name="severity"
        options={[asRule, ...severities.map((value) => ({ value, text: words(value) }))]}
        defaultValue={before?.severity ?? ''}
      />
    </FormDialog>
  );
}

/** What is left empty is not said. */
function numberOf(form: FormData, name: string): number | null {
  const text = textOf(form, name);
  return text === '' ? null : Number(text);
}
