import { UpdateTenantDocument } from '../generated/graphql.ts';
import { ActionForm } from '../parts/action-form.tsx';
import { Card } from '../parts/card.tsx';
import { Field } from '../parts/field.tsx';
import { textOf } from '../parts/form.ts';
import { useViewer } from '../session/viewer.tsx';

/** What the organization is called, here and in its mail. */
export function OrganizationName() {
  const { me, reread } = useViewer();
  return (
    <Card title="Name of the organization">
      <ActionForm
        document={UpdateTenantDocument}
        variables={(form) => ({ input: { name: textOf(form, 'name') } })}
        submit="Rename the organization"
        done="The organization has another name."
        onDone={reread}
        keepsFilled
      >
        <Field
          label="Name of the organization"
          name="name"
          required
          maxLength={200}
          autoComplete="organization"
          defaultValue={me.tenant.name}
        />
      </ActionForm>
    </Card>
  );
}
