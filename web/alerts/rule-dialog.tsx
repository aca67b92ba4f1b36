import { useState } from 'react';

import {
  UpdateAlertRuleDocument,
  type AlertRuleRowFragment,
  type AlertSeverity,
} from '../generated/graphql.ts';
import { changedOf } from '../parts/changed.ts';
import { Field, Select } from '../parts/field.tsx';
import { FormDialog } from '../parts/form-dialog.tsx';
import { textOf } from '../parts/form.ts';
import { words } from '../parts/words.ts';
import { severities } from './alert-search.ts';
import { firesAtOnce } from './rule-words.ts';

interface RuleDialogProps {
  rule: AlertRuleRowFragment;
  onClose: () => void;
  onChange: () => void;
}

const longest = 86_400;

/** The settings of one rule. */
export function RuleDialog({ rule, onClose, onChange }: RuleDialogProps) {
  // As it was when editing began.
  const [before] = useState(rule);
  const { kind, severity, threshold, forSeconds, keepFiringForSeconds } = before;
  const waits = !firesAtOnce.has(kind);
  return (
    <FormDialog
      title={`Rule: ${words(kind)}`}
      document={UpdateAlertRuleDocument}
      variables={(form) => ({
        input: {
          kind,
          ...changedOf(
            { severity, threshold, forSeconds, keepFiringForSeconds },
            {
              severity: textOf(form, 'severity') as AlertSeverity,
              threshold: threshold === null ? null : Number(form.get('threshold')),
              forSeconds: waits ? Number(form.get('forSeconds')) : forSeconds,
              keepFiringForSeconds: Number(form.get('keepFiringForSeconds')),
            },
          ),
        },
      })}
      submit="Save"
      done={`The rule ${words(kind)} is changed.`}
      onClose={onClose}
      onDone={onChange}
    >
      {threshold !== null && (
        <Field
          label="Limit, in percent"
          name="threshold"
          type="number"
          step="any"
          required
          defaultValue={threshold}
          hint="At it or above. More than 0, at most 100."
        />
      )}
      {waits && (
        <Field
          label="Has to hold for, in seconds"
          name="forSeconds"
          type="number"
          min={0}
          max={longest}
          required
          defaultValue={forSeconds}
          hint="Until then nobody is told."
        />
      )}
      <Field
        label="Has to be gone for, in seconds"
        name="keepFiringForSeconds"
        type="number"
        min={0}
        max={longest}
        required
        defaultValue={keepFiringForSeconds}
        hint="So long an alert goes on after its condition: what comes and goes is one alert."
      />
      <Select
        label="Severity"
        name="severity"
        options={severities.map((value) => ({ value, text: words(value) }))}
        defaultValue={severity}
      />
    </FormDialog>
  );
}
