import { useState } from 'react';

import {
  ChangeMemberRoleDocument,
  EndMemberSessionsDocument,
  RemoveMemberDocument,
  ResetSecondFactorDocument,
  type MembersQuery,
  type Role,
} from '../generated/graphql.ts';
import { ActionForm } from '../parts/action-form.tsx';
import { Action } from '../parts/action.tsx';
import { Choice, Field } from '../parts/field.tsx';
import { secretOf } from '../parts/form.ts';
import { Time } from '../parts/time.tsx';
import { words } from '../parts/words.ts';
import { useViewer } from '../session/viewer.tsx';
import { roles } from './roles.ts';

interface MemberLineProps {
  member: MembersQuery['members']['nodes'][number];
  onChange: () => void;
}

export function MemberLine({ member, onChange }: MemberLineProps) {
  const { me, may } = useViewer();
  const { id, name, email, role, totpEnabled, createdAt } = member;
  const isChangeable =
    may('identity.member.manage') && id !== me.id && (role !== 'OWNER' || me.role === 'OWNER');
  return (
    <>
      <div>
        <strong>{name}</strong> {email}
        <p className="quiet">
          {words(role)}, second factor {totpEnabled ? 'on' : 'off'}, since <Time at={createdAt} />
        </p>
        {isChangeable && <RoleForm member={member} onChange={onChange} />}
        {isChangeable && role === 'OWNER' && <EndOwnerSessionsForm member={member} onChange={onChange} />}
        {isChangeable && role === 'OWNER' && <RemoveOwnerForm member={member} onChange={onChange} />}
        {totpEnabled && role !== 'OWNER' && id !== me.id && may('identity.second-factor.reset') && (
          <ResetForm member={member} onChange={onChange} />
        )}
      </div>
      {isChangeable && role !== 'OWNER' && (
        <div className="actions">
          <Action
            document={EndMemberSessionsDocument}
            variables={{ userId: id }}
            text="End sessions"
            label={`End sessions of ${name}`}
            confirm={sessionsEnd}
            done={`The sessions of ${name} have ended.`}
            onDone={onChange}
          />
          <Action
            document={RemoveMemberDocument}
            variables={{ id }}
            text="Remove"
            label={`Remove ${name}`}
            confirm="Their sessions and API keys end at once."
            done={`${name} is removed.`}
            onDone={onChange}
          />
        </div>
      )}
    </>
  );
}

function RoleForm({ member: { id, name, role }, onChange }: MemberLineProps) {
  const { me } = useViewer();
  const [chosen, setChosen] = useState<Role>(role);
  const needsPassword = role === 'OWNER' || chosen === 'OWNER';
  const offered = me.role === 'OWNER' ? roles : roles.filter(({ value }) => value !== 'OWNER');
  return (
    <details>
      <summary>Change the role of {name}</summary>
      <ActionForm
        document={ChangeMemberRoleDocument}
        variables={(form) => ({
          input: {
            userId: id,
            role: chosen,
            currentPassword: needsPassword ? secretOf(form, 'currentPassword') : null,
          },
        })}
        submit={`Change the role of ${name}`}
        done={`${name} has another role.`}
        onDone={onChange}
      >
        <Choice label="Role" value={chosen} options={offered} onChange={setChosen} />
        {needsPassword && <PasswordField />}
      </ActionForm>
    </details>
  );
}

const sessionsEnd =
  'For a lost or stolen device: they have to sign in again everywhere, and are told by mail. API keys go on.';

function EndOwnerSessionsForm({ member: { id, name }, onChange }: MemberLineProps) {
  return (
    <details>
      <summary>End sessions of {name}</summary>
      <p>{sessionsEnd}</p>
      <ActionForm
        document={EndMemberSessionsDocument}
        variables={(form) => ({ userId: id, currentPassword: secretOf(form, 'currentPassword') })}
        submit={`End sessions of ${name}`}
        done={`The sessions of ${name} have ended.`}
        onDone={onChange}
      >
        <PasswordField />
      </ActionForm>
    </details>
  );
}

function RemoveOwnerForm({ member: { id, name }, onChange }: MemberLineProps) {
  return (
    <details>
      <summary>Remove {name}</summary>
      <p>Their sessions and API keys end at once.</p>
      <ActionForm
        document={RemoveMemberDocument}
        variables={(form) => ({ id, currentPassword: secretOf(form, 'currentPassword') })}
        submit={`Remove ${name}`}
        done={`${name} is removed.`}
        onDone={onChange}
      >
        <PasswordField />
      </ActionForm>
    </details>
  );
}

/** What only the one whose session it is knows. */
function PasswordField() {
  return (
    <Field
      label="Your password"
      name="currentPassword"
      type="password"
      autoComplete="current-password"
      required
    />
  );
}

function ResetForm({ member: { id, name }, onChange }: MemberLineProps) {
  return (
    <details>
      <summary>Switch off the second factor of {name}</summary>
      <p>For someone who has lost it. Their sessions end, and they are told by mail.</p>
      <ActionForm
        document={ResetSecondFactorDocument}
        variables={(form) => ({
          input: { userId: id, currentPassword: secretOf(form, 'currentPassword') },
        })}
        submit={`Switch off the second factor of ${name}`}
        done={`No code is asked of ${name} any more.`}
        onDone={onChange}
      >
        <PasswordField />
      </ActionForm>
    </details>
  );
}
