import { problemOf } from '../api/problem.ts';
import { useDue } from '../api/use-due.ts';
import { useFollowed } from '../api/use-followed.ts';
import { usePages } from '../api/use-pages.ts';
import {
  RequestDelegationDocument,
  RequestsToClientDocument,
  SentDelegationRequestChangedDocument,
  WithdrawDelegationRequestDocument,
  type AccessRequestFragment,
  type Role,
} from '../generated/graphql.ts';
import { roles } from '../organization/roles.ts';
import { ActionForm } from '../parts/action-form.tsx';
import { Action } from '../parts/action.tsx';
import { Field, Select } from '../parts/field.tsx';
import { textOf } from '../parts/form.ts';
import { Listing } from '../parts/listing.tsx';
import { exactTime, Time } from '../parts/time.tsx';
import { words } from '../parts/words.ts';
import { emailsIn, NamedUsers } from './named-users.tsx';

/** What the client was asked for: what is open, of which there is one at most, and then what became of the others. */
export function RequestsToClient({ clientId, name }: { clientId: string; name: string }) {
  const { rows, error, hasMore, more, reload } = usePages(
    RequestsToClientDocument,
    { clientId },
    ({ pending, delegationRequestsSent: ended }) => ({
      ...ended,
      nodes: [...pending.nodes, ...ended.nodes],
    }),
  );
  const open = rows?.filter(({ status }) => status === 'PENDING');
  useDue(open?.map(({ expiresAt }) => expiresAt) ?? [], rows, reload);
  useFollowed(SentDelegationRequestChangedDocument, { clientId }, reload);
  return (
    <>
      <Listing
        title="Requests for access"
        rows={rows}
        told={error && problemOf(error)}
        retry={reload}
        more={hasMore ? more : undefined}
        empty="You have not asked for access. Its owner is mailed when you do."
        keyOf={({ id }) => id}
        render={(request) => <RequestLine request={request} onChange={reload} />}
      />
      {open?.length === 0 && (
        <details>
          <summary>Ask {name} for access</summary>
          <ActionForm
            document={RequestDelegationDocument}
            variables={(form) => ({
              input: {
                clientId,
                role: textOf(form, 'role') as Role,
                expiresInHours: Number(form.get('hours')),
                userEmails: emailsIn(form),
                reason: textOf(form, 'reason'),
              },
            })}
            submit="Ask for access"
            done="Its owners are asked."
            onDone={reload}
          >
            <Select
              label="At most as"
              name="role"
              options={roles.filter(({ value }) => value !== 'OWNER')}
              defaultValue="OPERATOR"
            />
            <Field
              label="For, in hours"
              name="hours"
              type="number"
              min={1}
              max={8760}
              defaultValue={8}
              required
              hint="From the approval on. They may grant less."
            />
            <Field
              label="Only for, by e-mail address"
              name="userEmails"
              hint="People of your organization, up to 20, separated by commas. Their names are shown to its owners. For all when it is empty."
            />
            <Field label="What it is for" name="reason" maxLength={500} required hint="Its owners read it." />
          </ActionForm>
        </details>
      )}
    </>
  );
}

function RequestLine({ request, onChange }: { request: AccessRequestFragment; onChange: () => void }) {
  const { id, role, expiresInHours, userIds, users, reason, requestedAt } = request;
  const { expiresAt, status, decidedAt } = request;
  const isOpen = status === 'PENDING';
  return (
    <>
      <div>
        <strong>{words(status)}</strong> As {words(role).toLowerCase()} for {expiresInHours} h: {reason}
        <NamedUsers userIds={userIds} users={users} />
        <p className="quiet">
          Asked <Time at={requestedAt} />
          {isOpen && `, ends by itself ${exactTime(expiresAt)}`}
          {decidedAt && (
            <>
              , {words(status).toLowerCase()} <Time at={decidedAt} />
            </>
          )}
        </p>
      </div>
      {isOpen && (
        <Action
          document={WithdrawDelegationRequestDocument}
          variables={{ id }}
          text="Withdraw"
          label={`Withdraw the request for access as ${words(role).toLowerCase()}`}
          done="The request is withdrawn."
          onDone={onChange}
        />
      )}
    </>
  );
}
