import { problemOf } from '../api/problem.ts';
import { useDue } from '../api/use-due.ts';
import { useFollowed } from '../api/use-followed.ts';
import { usePages } from '../api/use-pages.ts';
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
import { AccessRequests } from './access-requests.tsx';
import { roles } from './roles.ts';

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
                confirm="Whoever acts in your organization by it is out within seconds. Another access can be granted."
                done="The access has ended."
                onDone={reload}
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
            <Field label="What it is for" name="reason" maxLength={500} />
          </ActionForm>
        </details>
      )}
    </>
  );
}
