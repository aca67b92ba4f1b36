import { useWhile } from '../api/use-again.ts';
import { useRead } from '../api/use-read.ts';
import { ExportOrganizationDocument, OrganizationExportDocument } from '../generated/graphql.ts';
import { Action } from '../parts/action.tsx';
import { Card } from '../parts/card.tsx';
import { Download } from '../parts/download.tsx';
import { Problem } from '../parts/problem.tsx';
import { exactTime, Time } from '../parts/time.tsx';
import { useViewer } from '../session/viewer.tsx';

/** Asked for again before that, it is the one that is being made. */
const pauseMs = 3_600_000;

/** A copy of all that the organization has, for its owners. */
export function ExportOrganization() {
  const { me } = useViewer();
  const { data, told, read } = useRead(OrganizationExportDocument);
  const found = data?.organizationExport;
  const isLost = found?.completedAt === null && Date.now() - new Date(found.startedAt).getTime() > pauseMs;
  useWhile(found?.completedAt === null, read);
  return (
    <Card title="A copy of what it has">
      <p>
        All rows of the organization, as JSON lines: members, nodes, policies, the audit trail and the rest.
        Measurements are not in it, nor passwords, tokens and other secrets.
      </p>
      <Problem told={told} retry={read} />
      <p aria-live="polite">
        {found?.completedAt && (
          <>
            Made <Time at={found.startedAt} />, kept until {exactTime(found.expiresAt)}.
            {found.isCut && ' There was more than it holds: the rest is not in it.'}
          </>
        )}
        {found &&
          !found.completedAt &&
          (isLost
            ? 'The last one was not finished in an hour: another can be made.'
            : 'It is being made, which takes up to some minutes.')}
      </p>
      <div className="actions">
        {found?.completedAt && (
          <Download
            path={`/account/exports/${found.id}`}
            name={`${me.tenant.id}.ndjson`}
            text="Save the copy"
            label="Save the copy of the organization"
          />
        )}
        {(!found || found.completedAt || isLost) && (
          <Action
            document={ExportOrganizationDocument}
            variables={{}}
            text="Make a copy"
            label="Make a copy of the organization"
            done="A copy is made, once an hour at most."
            onDone={read}
          />
        )}
      </div>
    </Card>
  );
}
