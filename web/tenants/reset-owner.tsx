import { ResetSecondFactorDocument, type TenantsQuery } from '../generated/graphql.ts';
import { Field, Select } from '../parts/field.tsx';
import { FormDialog } from '../parts/form-dialog.tsx';
import { secretOf, textOf } from '../parts/form.ts';

interface ResetOwnerProps {
  tenant: Pick<TenantsQuery['tenants']['nodes'][number], 'id' | 'name' | 'owners'>;
  onClose: () => void;
}

/** For an owner who has lost the second factor, and has no other owner to turn to. */
export function ResetOwner({ tenant: { id, name, owners }, onClose }: ResetOwnerProps) {
  return (
    <FormDialog
      title={`An owner's second factor at ${name}`}
      document={ResetSecondFactorDocument}
      variables={(form) => ({
        input: {
          tenantId: id,
          userId: textOf(form, 'userId'),
          currentPassword: secretOf(form, 'currentPassword'),
        },
      })}
      submit="Switch it off"
      done="No code is asked of that owner any more."
      onClose={onClose}
    >
      <p>
        For someone who has lost it, and is known to be who they say. Their sessions end, and they are told by
        mail.
      </p>
      <Select
        label="Owner"
        name="userId"
        options={owners.map((owner) => ({ value: owner.id, text: owner.email }))}
      />
      <Field
        label="Your password"
        name="currentPassword"
        type="password"
        autoComplete="current-password"
        required
      />
    </FormDialog>
  );
}
