import { useState } from 'react';

import { problemOf } from '../api/problem.ts';
import { useDue } from '../api/use-due.ts';
import { useFollowed } from '../api/use-followed.ts';
import { usePages } from '../api/use-pages.ts';
import { emailsIn, emailsOf, NamedUsers } from '../clients/named-users.tsx';
import {
  ApproveDelegationDocument,
  DeclineDelegationDocument,
  DelegationRequestChangedDocument,
  RequestsOfProviderDocument,
  type AccessRequestFragment,
  type Role,
} from '../generated/graphql.ts';
import { Action } from '../parts/action.tsx';
import { Field, Select } from '../parts/field.tsx';
import { FormDialog } from '../parts/form-dialog.tsx';
import { textOf } from '../parts/form.ts';
import { Listing } from '../parts/listing.tsx';
import { exactTime } from '../parts/time.tsx';
import { words } from '../parts/words.ts';
import { useViewer } from '../session/viewer.tsx';
import { roles } from './roles.ts';

/** What the provider asks for. Nothing of it may be done until an owner approves. */
export function AccessRequests({ onApproved }: { onApproved: () => void }) {
  const { rows, error, hasMore, more, reload } = usePages(
    RequestsOfProviderDocument,
    {},
    ({ delegationRequests }) => delegationRequests,
  );
  useFollowed(DelegationRequestChangedDocument, {}, reload);
  useDue(rows?.map(({ expiresAt }) => expiresAt) ?? [], rows, reload);
  return (
    <Listing
      title="Requests of the provider"
      rows={rows}
      told={error && problemOf(error)}
      retry={reload}
      more={hasMore ? more : undefined}
      empty="Nobody asks for access to your organization."
      keyOf={({ id }) => id}
      render={(request) => (
        <RequestLine
          request={request}
          onChange={reload}
          onApproved={() => {
            reload();
            onApproved();
          }}
        />
      )}
    />
  );
}

interface RequestLineProps {
  request: AccessRequestFragment;
  onChange: () => void;
  onApproved: () => void;
}

function RequestLine({ request, onChange, onApproved }: RequestLineProps) {
  const { may } = useViewer();
  const [isApproving, setApproving] = useState(false);
  const { id, role, expiresInHours, userIds, users, reason, expiresAt } = request;
  const what = `access as ${words(role).toLowerCase()}`;
  return (
    <>
      <div>
        As {words(role).toLowerCase()} for {expiresInHours} h: {reason}
        <NamedUsers userIds={userIds} users={users} />
        <p className="quiet">It ends by itself {exactTime(expiresAt)}.</p>
      </div>
      {may('identity.delegation.manage') && (
        <div className="actions">
          <button
            type="button"
            className="main"
            aria-haspopup="dialog"
            aria-label={`Approve ${what}`}
            onClick={() => setApproving(true)}
          >
            Approve
          </button>
          <Action
            document={DeclineDelegationDocument}
            variables={{ id }}
            text="Decline"
            label={`Decline ${what}`}
            done="The request is declined."
            onDone={onChange}
          />
        </div>
      )}
      {isApproving && (
        <FormDialog
          title="Let the provider in"
          document={ApproveDelegationDocument}
          variables={(form) => ({
            id,
            input: {
              role: textOf(form, 'role') as Role,
              expiresInHours: Number(form.get('hours')),
              userEmails: emailsIn(form),
            },
          })}
          submit="Approve"
          done="The provider may act in your organization."
          onDone={onApproved}
          onClose={() => setApproving(false)}
        >
          <p>
            {request.requestedByName ?? 'Somebody'} of {request.providerName ?? 'the provider'} asks, for
            this: {reason}
          </p>
          <Select
            label="At most as"
            name="role"
            options={roles.filter(({ value }) => isNoMore(value, role))}
            defaultValue={role}
          />
          <Field
            label="For, in hours"
            name="hours"
            type="number"
            min={1}
            max={expiresInHours}
            defaultValue={expiresInHours}
            required
          />
          <Field
            label="Only for, by e-mail address"
            name="userEmails"
            defaultValue={emailsOf(users)}
            hint={
              userIds === null
                ? 'People of the provider, up to 20, separated by commas. For all of them when it is empty.'
                : 'Some of those for whom it was asked, separated by commas.'
            }
          />
        </FormDialog>
      )}
    </>
  );
}

/** Whether an owner may grant it where `asked` was asked for. */
function isNoMore(role: Role, asked: Role): boolean {
  return role !== 'OWNER' && (asked === 'ADMIN' || role === asked || role === 'VIEWER');
}
