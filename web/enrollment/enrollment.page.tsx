import { getRouteApi, Link } from '@tanstack/react-router';

import { problemOf } from '../api/problem.ts';
import { useDue } from '../api/use-due.ts';
import { useLive } from '../api/use-live.ts';
import { usePages } from '../api/use-pages.ts';
import { useRead } from '../api/use-read.ts';
import { useThrottled } from '../api/use-throttled.ts';
import {
  EnrollmentTokenDocument,
  EnrollmentTokensDocument,
  InstanceChangedDocument,
  RevokeEnrollmentTokenDocument,
  type TokenRowFragment,
} from '../generated/graphql.ts';
import { Action } from '../parts/action.tsx';
import { Card } from '../parts/card.tsx';
import { Listing } from '../parts/listing.tsx';
import { Page } from '../parts/page.tsx';
import { Problem } from '../parts/problem.tsx';
import { Time } from '../parts/time.tsx';
import { count, plural } from '../parts/words.ts';
import { useViewer } from '../session/viewer.tsx';
import { Membership } from './membership.tsx';
import { NewToken } from './new-token.tsx';

const route = getRouteApi('/enrollment');

/** Brings nodes into the fleet: a token, the line to paste, and who came by it. And lets them leave it. */
export default function EnrollmentPage() {
  const { may } = useViewer();
  const { token } = route.useSearch();
  // Those that nodes can come in by are seen first, after however many that have ended.
  const { rows, error, hasMore, cursor, put, reload, more } = usePages(
    EnrollmentTokensDocument,
    {},
    ({ open, enrollmentTokens: ended, fleetCursor }) => ({
      ...ended,
      nodes: [...open.nodes.toReversed(), ...ended.nodes],
      cursor: fleetCursor,
    }),
  );
  // Whoever enrolls uses a token up.
  const readSoon = useThrottled(reload, 2_000);
  useLive(InstanceChangedDocument, { instanceId: null }, { after: cursor, next: readSoon, lost: readSoon });
  useDue(rows?.flatMap((token) => (endOf(token) ? [] : [token.expiresAt])) ?? [], rows, reload);
  return (
    <Page title="Enrollment">
      <div className="cards">
        {token !== undefined && <OneToken key={token} id={token} onChange={reload} />}
        {may('fleet.token.create') && <NewToken cursor={cursor} onMade={put} />}
        <Listing
          title="Tokens"
          rows={rows}
          told={error && problemOf(error)}
          retry={reload}
          more={hasMore ? more : undefined}
          empty={`There is none yet.${may('fleet.token.create') ? ' Make the first one above.' : ''}`}
          keyOf={({ id }) => id}
          render={(token) => <TokenLine token={token} onChange={put} />}
        />
        <Membership />
      </div>
    </Page>
  );
}

/** The token that somebody came here to see. */
function OneToken({ id, onChange }: { id: string; onChange: () => void }) {
  const { data, told, read } = useRead(EnrollmentTokenDocument, { variables: { id } });
  const isGone = told?.code === 'NOT_FOUND';
  return (
    <Card title="The token that it came in by" className="wide" isReading={!data && !told}>
      {isGone ? <p>It is kept no more.</p> : <Problem told={told} retry={read} />}
      {data && (
        <div className="row">
          <TokenLine
            token={data.enrollmentToken}
            onChange={() => {
              read();
              onChange();
            }}
          />
        </div>
      )}
      <Link to="/enrollment">All tokens</Link>
    </Card>
  );
}

/** Why nobody comes in by it any more; undefined as long as nodes do. */
function endOf({ uses, maxUses, expiresAt, revokedAt }: TokenRowFragment): string | undefined {
  if (revokedAt !== null) return 'revoked';
  if (maxUses !== null && uses >= maxUses) return 'used up';
  return new Date(expiresAt) <= new Date() ? 'ended' : undefined;
}

interface TokenLineProps {
  token: TokenRowFragment;
  onChange: (token: TokenRowFragment) => void;
}

function TokenLine({ token, onChange }: TokenLineProps) {
  const { may } = useViewer();
  const { id, name, prefix, uses, maxUses, tags, expiresAt, revokedAt } = token;
  const end = endOf(token);
  return (
    <>
      <div>
        <strong>{name}</strong> <code>{prefix}…</code>
        <p className="quiet">
          Used {maxUses === null ? plural(uses, 'time') : `${count(uses)} of ${plural(maxUses, 'time')}`}
          {tags.length > 0 && `, gives the tags ${tags.join(', ')}`}, {end ?? 'ends'}
          {end !== 'used up' && (
            <>
              {' '}
              <Time at={revokedAt ?? expiresAt} />
            </>
          )}
        </p>
      </div>
      {end === undefined && may('fleet.token.revoke') && (
        <div className="actions">
          <Action
            document={RevokeEnrollmentTokenDocument}
            variables={{ id }}
            text="Revoke"
            label={`Revoke ${name}`}
            confirm="No node comes in by it any more, also of those that have its line by now. Those that came in stay."
            done={`${name} is revoked.`}
            onDone={({ revokeEnrollmentToken }) => onChange(revokeEnrollmentToken)}
          />
        </div>
      )}
    </>
  );
}
