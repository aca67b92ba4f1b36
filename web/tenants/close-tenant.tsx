import { CloseTenantDocument } from '../generated/graphql.ts';
import { Field } from '../parts/field.tsx';
import { FormDialog } from '../parts/form-dialog.tsx';
import { secretOf, textOf } from '../parts/form.ts';
import { useViewer } from '../session/viewer.tsx';

/** The end of an organization, by whoever runs the panel. */
export function CloseTenant({
  tenant: { id, name },
  onClose,
  onDone,
}: {
  tenant: { id: string; name: string };
  onClose: () => void;
  onDone: () => void;
}) {
  const { me } = useViewer();
  return (
    <FormDialog
      title={`Close ${name}?`}
      document={CloseTenantDocument}
      variables={(form) => ({
        id,
        input: {
          currentPassword: secretOf(form, 'currentPassword'),
          ...(me.totpEnabled ? { code: textOf(form, 'code') } : {}),
        },
      })}
      submit="Close it"
      done={`${name} is closed.`}
      onClose={onClose}
      onDone={onDone}
    >
      <p>
        It is suspended at once, its subscription is cancelled, and all that it has is erased in 30 days.
        Until then it can be restored, here or by its owners, who are mailed a link; its subscription can not.
      </p>
      <Field
        label="Your password"
        name="currentPassword"
        type="password"
        autoComplete="current-password"
        required
      />
      {me.totpEnabled && (
        <Field label="One-time or recovery code" name="code" autoComplete="one-time-code" required />
      )}
    </FormDialog>
  );
}
