import { useState } from 'react';

import { problemOf } from '../api/problem.ts';
import { useFollowed } from '../api/use-followed.ts';
import { usePages } from '../api/use-pages.ts';
import {
  PlacementChangedDocument,
  PlacementsDocument,
  RemovePlacementDocument,
  ResumePlacementDocument,
  type PlacementsQuery,
} from '../generated/graphql.ts';
import { Action } from '../parts/action.tsx';
import { Listing } from '../parts/listing.tsx';
import { Status } from '../parts/status.tsx';
import { useViewer } from '../session/viewer.tsx';
import { ChangePlacement } from './change-placement.tsx';

type Placement = PlacementsQuery['placements']['nodes'][number];

/** What runs in all clusters of a region or a tag, partition by partition. */
export function Placements() {
  const { may } = useViewer();
  const { rows, error, hasMore, more, reload } = usePages(
    PlacementsDocument,
    {},
    ({ placements }) => placements,
  );
  useFollowed(PlacementChangedDocument, {}, reload);
  /** As it was when editing began. */
  const [edited, setEdited] = useState<Placement>();
  const listing = (
    <Listing
      title="Placements"
      rows={rows}
      told={error && problemOf(error)}
      retry={reload}
      more={hasMore ? more : undefined}
      empty="Nothing is placed on several clusters yet."
      keyOf={({ id }) => id}
      render={(row) => {
        const { id, namespace, name, image, region, tag, partition, partitions, status, ...rest } = row;
        const stays = status !== 'REMOVING' && status !== 'REMOVED';
        return (
          <>
            <div>
              <Status of={status} />{' '}
              <strong>
                {namespace}/{name}
              </strong>{' '}
              in {region ? `the region ${region}` : ''} {tag ? `clusters with the tag ${tag}` : ''}, partition{' '}
              {partition} of {partitions}
              {rest.message && <p>{rest.message}</p>}
              <p className="quiet">
                <code>{image}</code> {rest.replicas} replicas in each
              </p>
              <ul className="lines">
                {rest.targets.map((target, at) => (
                  <li key={at}>
                    <Status of={target.status} /> {target.cluster?.name ?? 'a cluster that was removed'}{' '}
                    {target.message}
                  </li>
                ))}
              </ul>
            </div>
            {may('hosting.deployment.manage') && (
              <div className="actions">
                {status === 'STOPPED' && (
                  <Action
                    document={ResumePlacementDocument}
                    variables={{ id }}
                    text="Go on"
                    label={`Go on with ${name}`}
                    done={`${name} goes on.`}
                    onDone={reload}
                  />
                )}
                {stays && (
                  <button
                    type="button"
                    aria-haspopup="dialog"
                    aria-label={`Change ${name}`}
                    onClick={() => setEdited(row)}
                  >
                    Change
                  </button>
                )}
                {stays && (
                  <Action
                    document={RemovePlacementDocument}
                    variables={{ id }}
                    text="Remove"
                    label={`Remove ${name}`}
                    confirm="It is deleted in all of its clusters."
                    done={`${name} is being removed.`}
                    onDone={reload}
                  />
                )}
              </div>
            )}
          </>
        );
      }}
    />
  );
  return (
    <>
      {listing}
      {edited && <ChangePlacement placement={edited} onClose={() => setEdited(undefined)} onDone={reload} />}
    </>
  );
}
