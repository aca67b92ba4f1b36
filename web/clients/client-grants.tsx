import { problemOf } from '../api/problem.ts';
import { useDue } from '../api/use-due.ts';
import { useFollowed } from '../api/use-followed.ts';
import { usePages } from '../api/use-pages.ts';
import {
  GrantsOfClientDocument,
  ReceivedDelegationChangedDocument,
  type GrantRowFragment,
} from '../generated/graphql.ts';
import { Listing } from '../parts/listing.tsx';
import { exactTime, Time } from '../parts/time.tsx';
import { words } from '../parts/words.ts';
import { NamedUsers } from './named-users.tsx';

/** What the client has granted: what is in force, of which there is one at most, and then what was. */
export function ClientGrants({ clientId }: { clientId: string }) {
  const { rows, error, hasMore, more, reload } = usePages(
    GrantsOfClientDocument,
    { clientId },
    ({ inForce, delegationsReceived: ended }) => ({ ...ended, nodes: [...inForce.nodes, ...ended.nodes] }),
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
      empty="Its owner has granted no access yet. They do so at Members, or when you ask for it."
      keyOf={({ id }) => id}
      render={(grant) => (
        <div>
          <strong>{words(grant.role)}</strong> {stateOf(grant)}
          {grant.reason && <p>{grant.reason}</p>}
          <NamedUsers {...grant} />
          <p className="quiet">
            Granted <Time at={grant.grantedAt} />, last used <Time at={grant.lastUsedAt} />
          </p>
        </div>
      )}
    />
  );
}

/** When it ends, if it is in force. */
function endOf({ revokedAt, expiresAt }: GrantRowFragment): string | null {
  return revokedAt === null && new Date(expiresAt) > new Date() ? expiresAt : null;
}

function stateOf({ revokedAt, expiresAt }: GrantRowFragment): string {
  if (revokedAt) return `was ended ${exactTime(revokedAt)}`;
  return new Date(expiresAt) > new Date() ? `until ${exactTime(expiresAt)}` : `ended ${exactTime(expiresAt)}`;
}
