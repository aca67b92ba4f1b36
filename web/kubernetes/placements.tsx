import { problemOf } from '../api/problem.ts';
import { useFollowed } from '../api/use-followed.ts';
import { usePages } from '../api/use-pages.ts';
import {
  PlacementChangedDocument,
  PlacementsDocument,
  RemovePlacementDocument,
  ResumePlacementDocument,
} from '../generated/graphql.ts';
import { Action } from '../parts/action.tsx';
import { Listing } from '../parts/listing.tsx';
import { Status } from '../parts/status.tsx';
import { useViewer } from '../session/viewer.tsx';

/** What runs in all clusters of a region or a tag, partition by partition. */
export function Placements() {
  const { may } = useViewer();
  const { rows, error, hasMore, more, reload } = usePages(
    PlacementsDocument,
    {},
    ({ placements }) => placements,
  );
  useFollowed(PlacementChangedDocument, {}, reload);
  return (
    <Listing
      title="Placements"
      rows={rows}
      told={error && problemOf(error)}
      retry={reload}
      more={hasMore ? more : undefined}
      empty="Nothing is placed on several clusters yet."
      keyOf={({ id }) => id}
      render={({ id, namespace, name, image, region, tag, partition, partitions, status, ...rest }) => (
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
              {status !== 'REMOVING' && status !== 'REMOVED' && (
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
      )}
    />
  );
}
