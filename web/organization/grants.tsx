import { useState } from 'react';

import { problemOf } from '../api/problem.ts';
import { useDue } from '../api/use-due.ts';
import { useFollowed } from '../api/use-followed.ts';
import { usePages } from '../api/use-pages.ts';
import { emailsIn, emailsOf, NamedUsers } from '../clients/named-users.tsx';
import {
  DelegationChangedDocument,
  DelegationsDocument,
  GrantDelegationDocument,
  LimitDelegationDocument,
  RevokeDelegationDocument,
  type GrantRowFragment,
  type Role,
} from '../generated/graphql.ts';
import { ActionForm } from '../parts/action-form.tsx';
import { Action } from '../parts/action.tsx';
import { Field, Select } from '../parts/field.tsx';
import { FormDialog } from '../parts/form-dialog.tsx';
import { textOf } from '../parts/form.ts';
import { Listing } from '../parts/listing.tsx';
import { exactTime, Time } from '../parts/time.tsx';
import { words } from '../parts/words.ts';
import { useViewer } from '../session/viewer.tsx';
import { AccessRequests } from './access-requests.tsx';
import { roles } from './roles.ts';
import { useWho } from './use-member-names.ts';

/** What the provider that manages the organization may do in it, and until when. */
export function Grants() {
  const { may } = useViewer();
  // One at most is in force, and what it may do is seen first, after however many that have ended.
  const { rows, error, hasMore, more, reload } = usePages(
    DelegationsDocument,
    {},
    ({ inForce, delegations }) => ({ ...delegations, nodes: [...inForce.nodes, ...delegations.nodes] }),
  );
  useFollowed(DelegationChangedDocument, {}, reload);
  useDue(
    rows?.flatMap(({ expiresAt, revokedAt }) =>
      revokedAt === null && new Date(expiresAt) > new Date() ? [expiresAt] : [],
    ) ?? [],
    rows,
    reload,
  );
  const isOwner = may('identity.delegation.manage');
  return (
    <>
      <AccessRequests onApproved={reload} />
      <Listing
        title="Access of the provider"
        rows={rows}
        told={error && problemOf(error)}
        retry={reload}
        more={hasMore ? more : undefined}
        empty="Nobody from outside may act in your organization."
        keyOf={({ id }) => id}
        render={(grant) => <GrantLine grant={grant} isOwner={isOwner} onChange={reload} />}
      />
      {isOwner && (
        <details>
          <summary>Let the provider act in your organization</summary>
          <ActionForm
            document={GrantDelegationDocument}
            variables={(form) => ({
              input: {
                role: textOf(form, 'role') as Role,
                expiresInHours: Number(form.get('hours')),
                userEmails: emailsIn(form),
                reason: textOf(form, 'reason') || null,
              },
            })}
            submit="Grant access"
            done="The provider may act in your organization."
            onDone={reload}
          >
            <Select
              label="At most as"
              name="role"
              options={roles.filter(({ value }) => value !== 'OWNER')}
              defaultValue="VIEWER"
            />
            <Field
              label="For, in hours"
              name="hours"
              type="number"
              min={1}
              max={8760}
              defaultValue={8}
              required
            />
            <Field
              label="Only for, by e-mail address"
              name="userEmails"
              hint="People of the provider, up to 20, separated by commas. For all of them when it is empty."
            />
            <Field label="What it is for" name="reason" maxLength={500} />
          </ActionForm>
        </details>
      )}
    </>
  );
}

interface GrantLineProps {
  grant: GrantRowFragment;
  isOwner: boolean;
  onChange: () => void;
}

function GrantLine({ grant, isOwner, onChange }: GrantLineProps) {
  const [isLimiting, setLimiting] = useState(false);
  const { id, role, userIds, users, reason, expiresAt, revokedAt, revokedBy, lastUsedAt } = grant;
  const who = useWho();
  const as = words(role).toLowerCase();
  return (
    <>
      <div>
        As {as} until {exactTime(expiresAt)}
        {revokedAt && `, ended ${exactTime(revokedAt)}`}
        {revokedBy && ` by ${who(revokedBy)}`} {reason}
        <NamedUsers userIds={userIds} users={users} />
        <p className="quiet">
          last used <Time at={lastUsedAt} />
        </p>
      </div>
      {isOwner && revokedAt === null && new Date(expiresAt) > new Date() && (
        <div className="actions">
          <button
            type="button"
            aria-haspopup="dialog"
            aria-label={`Change for whom: the access as ${as}`}
            onClick={() => setLimiting(true)}
          >
            Change for whom
          </button>
          <Action
            document={RevokeDelegationDocument}
            variables={{ id }}
            text="End it"
            label={`End it: the access as ${as}`}
            confirm="Whoever acts in your organization by it is out within seconds. Another access can be granted."
            done="The access has ended."
            onDone={onChange}
          />
        </div>
      )}
      {isLimiting && (
        <FormDialog
          title="Who of the provider may act"
          document={LimitDelegationDocument}
          variables={(form) => ({ input: { id, userEmails: emailsIn(form) ?? [] } })}
          submit="Change it"
          done="Nobody else of the provider may act in your organization."
          onDone={onChange}
          onClose={() => setLimiting(false)}
        >
          <Field
            label="Only for, by e-mail address"
            name="userEmails"
            required
            defaultValue={emailsOf(users)}
            hint="People of the provider, up to 20, separated by commas. Whoever else acts just now is out at once."
          />
        </FormDialog>
      )}
    </>
  );
}
