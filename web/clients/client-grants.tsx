import { problemOf } from '../api/problem.ts';
import { useDue } from '../api/use-due.ts';
import { useFollowed } from '../api/use-followed.ts';
import { usePages } from '../api/use-pages.ts';
import {
  GrantsOfClientDocument,
  ReceivedDelegationChangedDocument,
  type GrantsOfClientQuery,
} from '../generated/graphql.ts';
import { Listing } from '../parts/listing.tsx';
import { exactTime, Time } from '../parts/time.tsx';
import { words } from '../parts/words.ts';

type Grant = GrantsOfClientQuery['delegationsReceived']['nodes'][number];

/** What the client has granted: what is in force, and what was. */
export function ClientGrants({ clientId }: { clientId: string }) {
  const { rows, error, hasMore, more, reload } = usePages(
    GrantsOfClientDocument,
    { clientId },
    ({ delegationsReceived }) => delegationsReceived,
  );
  useDue(rows?.map(endOf) ?? [], rows, reload);
  useFollowed(ReceivedDelegationChangedDocument, { clientId }, reload);
  return (
    <Listing
      title="Access"
      rows={rows}
      told={error && problemOf(error)}
      retry={reload}
      more={hasMore ? more : undefined}
      empty="Its owner has granted no access yet. They do so at Members, Access of the provider."
      keyOf={({ id }) => id}
      render={(grant) => (
        <div>
          <strong>{words(grant.role)}</strong> {stateOf(grant)}
          {grant.reason && <p>{grant.reason}</p>}
          <p className="quiet">
            Granted <Time at={grant.grantedAt} />, last used <Time at={grant.lastUsedAt} />
          </p>
        </div>
      )}
    />
  );
}

/** When it ends, if it is in force. */
function endOf({ revokedAt, expiresAt }: Grant): string | null {
  return revokedAt === null && new Date(expiresAt) > new Date() ? expiresAt : null;
}

function stateOf({ revokedAt, expiresAt }: Grant): string {
  if (revokedAt) return `was ended ${exactTime(revokedAt)}`;
  return new Date(expiresAt) > new Date() ? `until ${exactTime(expiresAt)}` : `ended ${exactTime(expiresAt)}`;
}
