import { useState } from 'react';

import { CreateSilenceDocument, type SilenceField, type SilenceOperator } from '../generated/graphql.ts';
import { lastMoment } from '../maintenance/zones.ts';
import { Choice, Field, FieldGroup, Select } from '../parts/field.tsx';
import { FormDialog } from '../parts/form-dialog.tsx';
import { textOf } from '../parts/form.ts';
import { words } from '../parts/words.ts';
import { alertRules, severities } from './alert-search.ts';
import { fieldNames, operatorNames } from './silence-matchers.tsx';

/** One instance by its id is silenced from an alert of it. */
const fields = ['TAG', 'INSTANCE_NAME', 'RULE', 'SEVERITY', 'COMPONENT'] as const satisfies SilenceField[];
const operators = (Object.keys(operatorNames) as SilenceOperator[]).map((value) => ({
  value,
  text: operatorNames[value],
}));
/** The words that there are, of what has no others. */
const known: Partial<Record<SilenceField, readonly string[]>> = { RULE: alertRules, SEVERITY: severities };

const most = 20;

interface NewSilenceProps {
  onClose: () => void;
  onMade: () => void;
}

/** A silence of alerts that need not be there yet, as ahead of work that is planned. */
export function NewSilence({ onClose, onMade }: NewSilenceProps) {
  const [count, setCount] = useState(1);
  const numbers = Array.from({ length: count }, (_, at) => at);
  return (
    <FormDialog
      title="New silence"
      document={CreateSilenceDocument}
      variables={(form) => {
        const begins = textOf(form, 'startsAt');
        return {
          input: {
            matchers: numbers.map((at) => ({
              field: textOf(form, `matchers.${at}.field`) as SilenceField,
              operator: textOf(form, `matchers.${at}.operator`) as SilenceOperator,
              value: textOf(form, `matchers.${at}.value`),
            })),
            // Without a zone in it the browser takes it for a time by the reader's clocks.
            startsAt: begins ? new Date(begins).toISOString() : null,
            endsAt: new Date(textOf(form, 'endsAt')).toISOString(),
            comment: textOf(form, 'comment'),
          },
        };
      }}
      submit="Silence"
      done="The silence is made."
      onClose={onClose}
      onDone={onMade}
    >
      <p>Channels are not told of alerts of which all of this is so.</p>
      {numbers.map((at) => (
        <MatcherFields key={at} at={at} />
      ))}
      <div className="actions">
        {count < most && (
          <button type="button" onClick={() => setCount(count + 1)}>
            And something else
          </button>
        )}
        {count > 1 && (
          <button type="button" onClick={() => setCount(count - 1)}>
            Without the last
          </button>
        )}
      </div>
      <Field
        label="From"
        name="startsAt"
        type="datetime-local"
        max={lastMoment}
        hint="By your clocks. Left empty it begins at once."
      />
      <Field
        label="Until"
        name="endsAt"
        type="datetime-local"
        required
        max={lastMoment}
        hint="By your clocks, at most 366 days away."
      />
      <Field
        label="Why"
        name="comment"
        required
        maxLength={500}
        hint="Others read this beside the silence."
      />
    </FormDialog>
  );
}

function MatcherFields({ at }: { at: number }) {
  const [field, setField] = useState<(typeof fields)[number]>('TAG');
  const name = `matchers.${at}`;
  const options = known[field]?.map((value) => ({ value, text: words(value) }));
  return (
    <FieldGroup legend={at === 0 ? 'Which alerts' : `Which alerts, and ${at + 1}`} name={name}>
      <Choice
        label="What of them"
        name={`${name}.field`}
        value={field}
        options={fields.map((value) => ({ value, text: fieldNames[value] }))}
        onChange={setField}
      />
      <Select
        label="How it compares"
        name={`${name}.operator`}
        options={options ? operators.slice(0, 2) : operators}
      />
      {options ? (
        <Select label="Value" name={`${name}.value`} options={options} />
      ) : (
        <Field
          label="Value"
          name={`${name}.value`}
          required
          maxLength={200}
          hint="Where it is like it, * stands for any text."
        />
      )}
    </FieldGroup>
  );
}
