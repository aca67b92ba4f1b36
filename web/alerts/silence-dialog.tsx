import { useState } from 'react';

import { CreateSilenceDocument, type AlertRowFragment } from '../generated/graphql.ts';
import { Choice, Field } from '../parts/field.tsx';
import { FormDialog } from '../parts/form-dialog.tsx';
import { textOf } from '../parts/form.ts';
import { Problem } from '../parts/problem.tsx';
import { plural, words } from '../parts/words.ts';
import { silenceFields, valueOf, type Matchable } from './silence-matchers.tsx';
import { useAlike, type Alike } from './use-alike.ts';

const lengths = [
  { value: '1', text: '1 hour' },
  { value: '4', text: '4 hours' },
  { value: '24', text: '1 day' },
  { value: '168', text: '1 week' },
] as const;

interface SilenceDialogProps {
  alert: AlertRowFragment;
  onClose: () => void;
  onMade: () => void;
}

/** Keeps channels from being told of alerts like this one, for a while. */
export function SilenceDialog({ alert, onClose, onMade }: SilenceDialogProps) {
  const [fields, setFields] = useState<readonly Matchable[]>(['RULE', 'INSTANCE_ID']);
  const [hours, setHours] = useState<(typeof lengths)[number]['value']>('4');
  const { alike, told, read } = useAlike(alert, fields);
  const offered = silenceFields.filter((field) => valueOf(alert, field) !== null);
  return (
    <FormDialog
      title="Silence alerts"
      document={CreateSilenceDocument}
      variables={(form) => ({
        input: {
          matchers: fields.map((field) => ({
            field,
            operator: 'EQUALS' as const,
            value: valueOf(alert, field)!,
          })),
          endsAt: new Date(Date.now() + Number(hours) * 3_600_000).toISOString(),
          comment: textOf(form, 'comment'),
        },
      })}
      submit="Silence"
      done="Silenced."
      isDisabled={fields.length === 0}
      onClose={onClose}
      onDone={onMade}
    >
      <fieldset>
        <legend>Those with the same</legend>
        {offered.map((field) => (
          <label key={field} className="check">
            <input
              type="checkbox"
              checked={fields.includes(field)}
              onChange={({ target }) =>
                setFields(target.checked ? [...fields, field] : fields.filter((one) => one !== field))
              }
            />{' '}
            {field === 'INSTANCE_ID'
              ? `Instance: ${alert.instanceName}`
              : `${words(field)}: ${words(valueOf(alert, field)!)}`}
          </label>
        ))}
      </fieldset>
      <Choice label="For" value={hours} options={lengths} onChange={setHours} />
      <Field
        label="Why"
        name="comment"
        required
        maxLength={500}
        hint="Others read this beside the silence."
      />
      <p role="status">{fields.length === 0 ? 'Choose at least one.' : alike && aboutText(alike)}</p>
      <Problem told={told} retry={read} />
    </FormDialog>
  );
}

function aboutText({ total, some }: Alike): string {
  if (total === 0) return 'It is about no open alert.';
  const names = some.map(({ rule, instanceName }) => `${words(rule)} of ${instanceName}`);
  const others = total > some.length ? ' and others' : '';
  return `It is about ${plural(total, 'open alert')}: ${names.join(', ')}${others}.`;
}
