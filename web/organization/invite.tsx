import { useState } from 'react';

import { InviteMemberDocument, type Role } from '../generated/graphql.ts';
import { ActionForm } from '../parts/action-form.tsx';
import { Card } from '../parts/card.tsx';
import { Choice, Field } from '../parts/field.tsx';
import { secretOf, textOf } from '../parts/form.ts';
import { useViewer } from '../session/viewer.tsx';
import { roles } from './roles.ts';

export function Invite({ onMade }: { onMade: () => void }) {
  const { me } = useViewer();
  const [role, setRole] = useState<Role>('OPERATOR');
  const offered = me.role === 'OWNER' ? roles : roles.filter(({ value }) => value !== 'OWNER');
  return (
    <Card title="Invite someone">
      <ActionForm
        document={InviteMemberDocument}
        variables={(form) => ({
          input: {
            email: textOf(form, 'email'),
            role,
            currentPassword: role === 'OWNER' ? secretOf(form, 'currentPassword') : null,
          },
        })}
        submit="Send the invitation"
        done="The invitation is on its way."
        onDone={onMade}
      >
        <Field label="E-mail" name="email" type="email" required />
        <Choice label="Role" value={role} options={offered} onChange={setRole} />
        {role === 'OWNER' && (
          <Field
            label="Your password"
            name="currentPassword"
            type="password"
            autoComplete="current-password"
            required
            hint="An owner may do everything, so it is asked again."
          />
        )}
      </ActionForm>
    </Card>
  );
}
