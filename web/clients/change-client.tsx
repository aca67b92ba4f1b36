import { UpdateMspClientDocument, type MspClientQuery, type Plan } from '../generated/graphql.ts';
import { ActionForm } from '../parts/action-form.tsx';
import { Card } from '../parts/card.tsx';
import { changedOf } from '../parts/changed.ts';
import { Field, Select } from '../parts/field.tsx';
import { textOf } from '../parts/form.ts';
import { plans } from './plans.ts';

interface ChangeClientProps {
  client: MspClientQuery['mspClient'];
  onChange: () => void;
}

export function ChangeClient({ client, onChange }: ChangeClientProps) {
  const { id, name, contactEmail, plan, instanceLimit } = client;
  return (
    <Card title="Change it">
      <ActionForm
        document={UpdateMspClientDocument}
        variables={(form) => ({
          id,
          // The same contact, said again, would be invited once more.
          input: changedOf(
            { name, contactEmail, plan, instanceLimit },
            {
              name: textOf(form, 'name'),
              contactEmail: textOf(form, 'contactEmail'),
              plan: textOf(form, 'plan') as Plan,
              instanceLimit: Number(form.get('instanceLimit')),
            },
          ),
        })}
        submit="Change it"
        done="The client is changed."
        onDone={onChange}
      >
        <Field label="Name of the client" name="name" required maxLength={200} defaultValue={name} />
        <Field
          label="E-mail of its contact"
          name="contactEmail"
          type="email"
          required
          hint="While nobody has joined yet, another one is invited as its owner."
          defaultValue={contactEmail}
        />
        <Select label="Plan" name="plan" options={plans} defaultValue={plan} />
        <Field
          label="Instances, at most"
          name="instanceLimit"
          type="number"
          min={1}
          max={1_000_000}
          required
          hint="A share of what your own plan allows."
          defaultValue={instanceLimit}
        />
      </ActionForm>
    </Card>
  );
}
