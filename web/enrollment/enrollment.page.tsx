import { useState } from 'react';
import { useMutation } from 'urql';

import { problemOf } from '../api/problem.ts';
import { useLive } from '../api/use-live.ts';
import { usePages } from '../api/use-pages.ts';
import { useThrottled } from '../api/use-throttled.ts';
import {
  EnrollmentTokensDocument,
  InstanceChangedDocument,
  RevokeEnrollmentTokenDocument,
  type TokenRowFragment,
} from '../generated/graphql.ts';
import { announce } from '../parts/announce.tsx';
import { Card } from '../parts/card.tsx';
import { Page } from '../parts/page.tsx';
import { Problem } from '../parts/problem.tsx';
import { Time } from '../parts/time.tsx';
import { count, plural } from '../parts/words.ts';
import { useViewer } from '../session/viewer.tsx';
import { Membership } from './membership.tsx';
import { NewToken } from './new-token.tsx';

/** Brings nodes into the fleet: a token, the line to paste, and who came by it. And lets them leave it. */
export default function EnrollmentPage() {
  const { may } = useViewer();
  const { rows, error, hasMore, cursor, put, reload, more } = usePages(
    EnrollmentTokensDocument,
    {},
    ({ enrollmentTokens, fleetCursor }) => ({ ...enrollmentTokens, cursor: fleetCursor }),
  );
  // Whoever enrolls uses a token up.
  const readSoon = useThrottled(reload, 2_000);
  useLive(InstanceChangedDocument, { instanceId: null }, { after: cursor, next: readSoon, lost: readSoon });
  return (
    <Page title="Enrollment">
      <div className="cards">
        {may('fleet.token.create') && <NewToken cursor={cursor} onMade={put} />}
        <Card title="Tokens" className="wide">
          <Problem told={error && problemOf(error)} retry={reload} />
          {rows?.length === 0 && (
            <p>There is none yet.{may('fleet.token.create') && ' Make the first one above.'}</p>
          )}
          <ul className="rows" aria-label="Tokens">
            {rows?.map((token) => (
              <TokenLine key={token.id} token={token} onChange={put} />
            ))}
          </ul>
          {hasMore && (
            <button type="button" onClick={more}>
              Show more
            </button>
          )}
        </Card>
        <Membership />
      </div>
    </Page>
  );
}

function TokenLine({
  token,
  onChange,
}: {
  token: TokenRowFragment;
  onChange: (token: TokenRowFragment) => void;
}) {
  const { may } = useViewer();
  const [{ fetching, error }, revoke] = useMutation(RevokeEnrollmentTokenDocument);
  const [openedAt] = useState(Date.now);
  const { id, name, prefix, uses, maxUses, tags, expiresAt, revokedAt } = token;
  const isUsedUp = maxUses !== null && uses >= maxUses;
  const isOpen = revokedAt === null && !isUsedUp && new Date(expiresAt).getTime() > openedAt;
  const end = async () => {
    const { data } = await revoke({ id });
    if (!data) return;
    onChange(data.revokeEnrollmentToken);
    announce(`${name} is revoked.`);
  };
  return (
    <li className="row">
      <div>
        <strong>{name}</strong> <code>{prefix}…</code>
        <p className="quiet">
          Used {maxUses === null ? plural(uses, 'time') : `${count(uses)} of ${plural(maxUses, 'time')}`}
          {tags.length > 0 && `, gives the tags ${tags.join(', ')}`},{' '}
          {revokedAt ? (
            <>
              revoked <Time at={revokedAt} />
            </>
          ) : (
            <>
              ends <Time at={expiresAt} />
            </>
          )}
        </p>
        <Problem told={error && problemOf(error, 'change')} />
      </div>
      {isOpen && may('fleet.token.revoke') && (
        <div className="actions">
          <button type="button" aria-label={`Revoke ${name}`} disabled={fetching} onClick={() => void end()}>
            Revoke
          </button>
        </div>
      )}
    </li>
  );
}
