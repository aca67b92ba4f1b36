import { CreateMspClientDocument, type Plan } from '../generated/graphql.ts';
import { ActionForm } from '../parts/action-form.tsx';
import { Card } from '../parts/card.tsx';
import { Field, Select } from '../parts/field.tsx';
import { textOf } from '../parts/form.ts';
import { useOnceKeys } from '../parts/once-key.ts';
import { plans } from './plans.ts';

export function NewClient({ onMade }: { onMade: () => void }) {
  const once = useOnceKeys();
  return (
    <Card title="New client">
      <ActionForm
        document={CreateMspClientDocument}
        variables={(form) => ({
          input: once.keyed({
            name: textOf(form, 'name'),
            contactEmail: textOf(form, 'contactEmail'),
            instanceLimit: Number(form.get('instanceLimit')),
            plan: textOf(form, 'plan') as Plan,
          }),
        })}
        submit="Make the client"
        done="The client is made, and its owner is invited."
        onDone={() => {
          once.done();
          onMade();
        }}
      >
        <Field label="Name of the organization" name="name" required maxLength={200} />
        <Field
          label="E-mail of its owner"
          name="contactEmail"
          type="email"
          required
          hint="They are mailed an invitation."
        />
        <Field
          label="Instances, at most"
          name="instanceLimit"
          type="number"
          min={1}
          max={1_000_000}
          defaultValue={5}
          required
          hint="A share of what your own plan allows."
        />
        <Select label="Plan" name="plan" options={plans} defaultValue="PRO" />
      </ActionForm>
    </Card>
  );
}
