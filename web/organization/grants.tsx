import { useDue } from '../api/use-due.ts';
import { useFollowed } from '../api/use-followed.ts';
import { useRead } from '../api/use-read.ts';
import {
  DelegationChangedDocument,
  DelegationsDocument,
  GrantDelegationDocument,
  RevokeDelegationDocument,
  type Role,
} from '../generated/graphql.ts';
import { ActionForm } from '../parts/action-form.tsx';
import { Action } from '../parts/action.tsx';
import { Field, Select } from '../parts/field.tsx';
import { textOf } from '../parts/form.ts';
import { Listing } from '../parts/listing.tsx';
import { exactTime, Time } from '../parts/time.tsx';
import { words } from '../parts/words.ts';
import { useViewer } from '../session/viewer.tsx';
import { roles } from './roles.ts';

/** What the provider that manages the organization may do in it, and until when. */
export function Grants() {
  const { may } = useViewer();
  const { data, told, read } = useRead(DelegationsDocument);
  useFollowed(DelegationChangedDocument, {}, read);
  useDue(
    data?.delegations.nodes.flatMap(({ expiresAt, revokedAt }) =>
      revokedAt === null && new Date(expiresAt) > new Date() ? [expiresAt] : [],
    ) ?? [],
    data,
    read,
  );
  const isOwner = may('identity.delegation.manage');
  return (
    <>
      <Listing
        title="Access of the provider"
        rows={data?.delegations.nodes}
        told={told}
        retry={read}
        empty="Nobody from outside may act in your organization."
        keyOf={({ id }) => id}
        render={({ id, role, reason, expiresAt, revokedAt, lastUsedAt }) => (
          <>
            <div>
              As {words(role).toLowerCase()} until {exactTime(expiresAt)}
              {revokedAt && `, ended ${exactTime(revokedAt)}`} {reason}
              <p className="quiet">
                last used <Time at={lastUsedAt} />
              </p>
            </div>
            {isOwner && revokedAt === null && new Date(expiresAt) > new Date() && (
              <Action
                document={RevokeDelegationDocument}
                variables={{ id }}
                text="End it"
                label={`End it: the access as ${words(role).toLowerCase()}`}
                done="The access has ended."
                onDone={read}
              />
            )}
          </>
        )}
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
                reason: textOf(form, 'reason') || null,
              },
            })}
            submit="Grant access"
            done="The provider may act in your organization."
            onDone={read}
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
            <Field label="What it is for" name="reason" maxLength={500} />
          </ActionForm>
        </details>
      )}
    </>
  );
}
