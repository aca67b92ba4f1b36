import { CreateTenantDocument } from '../generated/graphql.ts';
import { ActionForm } from '../parts/action-form.tsx';
import { Card } from '../parts/card.tsx';
import { Field } from '../parts/field.tsx';
import { textOf } from '../parts/form.ts';

/** An organization for somebody who is invited, which is the only way while registration is closed. */
export function NewTenant({ onMade }: { onMade: () => void }) {
  return (
    <Card title="New organization">
      <ActionForm
        document={CreateTenantDocument}
        variables={(form) => ({
          input: { name: textOf(form, 'name'), ownerEmail: textOf(form, 'ownerEmail') },
        })}
        submit="Make the organization"
        done="The organization is made, and its owner is invited."
        onDone={onMade}
      >
        <Field label="Name of the organization" name="name" required maxLength={200} />
        <Field
          label="E-mail of its owner"
          name="ownerEmail"
          type="email"
          required
          hint="They are mailed an invitation; once more when the same is made again before they have joined."
        />
      </ActionForm>
    </Card>
  );
}
