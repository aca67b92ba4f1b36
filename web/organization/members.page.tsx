import { problemOf } from '../api/problem.ts';
import { useDue } from '../api/use-due.ts';
import { usePages } from '../api/use-pages.ts';
import { InvitationsDocument, MembersDocument, RevokeInvitationDocument } from '../generated/graphql.ts';
import { Action } from '../parts/action.tsx';
import { Listing } from '../parts/listing.tsx';
import { Page } from '../parts/page.tsx';
import { Time } from '../parts/time.tsx';
import { words } from '../parts/words.ts';
import { useViewer } from '../session/viewer.tsx';
import { CloseOrganization } from './close-organization.tsx';
import { ExportOrganization } from './export-organization.tsx';
import { Grants } from './grants.tsx';
import { Invite } from './invite.tsx';
import { MemberLine } from './member-line.tsx';
import { OrganizationName } from './organization-name.tsx';

/** Who belongs to the organization, who is invited, and who may act in it from outside. */
export default function MembersPage() {
  const { may } = useViewer();
  const isManager = may('identity.member.manage');
  const { rows, error, hasMore, more, reload } = usePages(MembersDocument, {}, ({ members }) => members);
  return (
    <Page title="Members">
      <div className="cards">
        <Listing
          title="Members"
          rows={rows}
          told={error && problemOf(error)}
          retry={reload}
          more={hasMore ? more : undefined}
          empty="Nobody is there."
          keyOf={({ id }) => id}
          render={(member) => <MemberLine member={member} onChange={reload} />}
        />
        {isManager && <Invitations />}
        {may('identity.delegation.read') && <Grants />}
        {may('identity.tenant.update') && <OrganizationName />}
        {may('identity.organization.export') && <ExportOrganization />}
        {may('identity.organization.close') && <CloseOrganization />}
      </div>
    </Page>
  );
}

function Invitations() {
  const { rows, error, hasMore, more, reload } = usePages(
    InvitationsDocument,
    {},
    ({ invitations }) => invitations,
  );
  useDue(rows?.map(({ expiresAt }) => expiresAt) ?? [], rows, reload);
  return (
    <>
      <Invite onMade={reload} />
      <Listing
        title="Invitations"
        rows={rows}
        told={error && problemOf(error)}
        retry={reload}
        more={hasMore ? more : undefined}
        empty="No invitation is open."
        keyOf={({ id }) => id}
        render={({ id, email, role, expiresAt }) => (
          <>
            <div>
              <strong>{email}</strong> as {words(role).toLowerCase()}
              <p className="quiet">
                ends <Time at={expiresAt} />
              </p>
            </div>
            <Action
              document={RevokeInvitationDocument}
              variables={{ id }}
              text="Take back"
              label={`Take back the invitation of ${email}`}
              confirm="The link that was mailed is of no use then. They can be invited again."
              done={`The invitation of ${email} is taken back.`}
              onDone={reload}
            />
          </>
        )}
      />
    </>
  );
}
