import { useEffect, useRef } from 'react';

import { problemOf } from '../api/problem.ts';
import { usePages } from '../api/use-pages.ts';
import {
  DeploymentRevisionsDocument,
  type DeploymentDetailFragment,
  type DeploymentRevisionsQuery,
} from '../generated/graphql.ts';
import { useWho } from '../organization/use-member-names.ts';
import { Listing } from '../parts/listing.tsx';
import { Time } from '../parts/time.tsx';
import { plural } from '../parts/words.ts';
import { RollBack } from './rollout.tsx';

type Revision = DeploymentRevisionsQuery['deploymentRevisions']['nodes'][number];

interface RevisionsProps {
  deployment: DeploymentDetailFragment;
  /** Whether it may be rolled back here. */
  isMine: boolean;
  onChange: () => void;
}

/** What was wanted of a deployment, newest first, each with the way back to it. */
export function Revisions({ deployment, isMine, onChange }: RevisionsProps) {
  const { id, revision } = deployment;
  const { rows, error, hasMore, more, reload } = usePages(
    DeploymentRevisionsDocument,
    { id },
    ({ deploymentRevisions: { nodes, ...page } }) => ({
      ...page,
      nodes: nodes.map((each) => ({ ...each, id: String(each.revision) })),
    }),
  );
  const shown = useRef(revision);
  useEffect(() => {
    if (shown.current === revision) return;
    shown.current = revision;
    reload();
  }, [revision, reload]);
  const whoOf = useWho();
  return (
    <Listing
      title="Revisions"
      rows={rows}
      told={error && problemOf(error)}
      retry={reload}
      more={hasMore ? more : undefined}
      empty="None is kept before its next change."
      keyOf={(each) => each.id}
      render={(each) => (
        <>
          <Line revision={each} whoOf={whoOf} />
          {isMine && !each.isWanted && (
            <RollBack deployment={deployment} revision={each.revision} onChange={onChange} />
          )}
        </>
      )}
    />
  );
}

function Line({ revision: of, whoOf }: { revision: Revision; whoOf: (id: string) => string }) {
  const { revision, isWanted, image, replicas, changed, createdAt, createdBy } = of;
  return (
    <div>
      <strong>Revision {revision}</strong> {isWanted && 'is what is wanted now.'}
      <p>
        {causeText(of)}
        {createdBy !== null && ` by ${whoOf(createdBy)}`} {createdAt !== null && <Time at={createdAt} />}
      </p>
      <p className="quiet">
        <code>{image}</code>, {plural(replicas, 'replica')}
        {changed.length > 0 && `; changed: ${changed.map(changeText).join(', ')}`}
      </p>
    </div>
  );
}

function causeText({ changeCause, toRevision }: Revision): string {
  switch (changeCause) {
    case 'CREATE':
      return 'Made';
    case 'UPDATE':
      return 'Changed';
    case 'RESTART':
      return 'Restarted';
    case 'ROLLBACK':
      return `Rolled back to revision ${toRevision}`;
    case null:
      return 'Since when and by whom was not kept';
  }
}

/** `env.GREETING` is the variable GREETING. */
function changeText(field: string): string {
  if (field === 'restartedAt') return 'its restart';
  return field.startsWith('env.') ? `the variable ${field.slice('env.'.length)}` : field;
}
