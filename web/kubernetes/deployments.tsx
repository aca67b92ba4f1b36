import { Link } from '@tanstack/react-router';

import { problemOf } from '../api/problem.ts';
import { useFollowed } from '../api/use-followed.ts';
import { usePages } from '../api/use-pages.ts';
import {
  DeploymentChangedDocument,
  DeploymentsDocument,
  type DeploymentsQuery,
} from '../generated/graphql.ts';
import { Listing } from '../parts/listing.tsx';
import { Status } from '../parts/status.tsx';

type Deployment = DeploymentsQuery['deployments']['nodes'][number];

interface DeploymentsProps {
  /** Only those in this cluster. */
  clusterId?: string;
  empty: string;
}

/** What runs in the clusters, each with its page. */
export function Deployments({ clusterId, empty }: DeploymentsProps) {
  const { rows, error, hasMore, more, reload } = usePages(
    DeploymentsDocument,
    { filter: clusterId === undefined ? null : { clusterId } },
    ({ deployments }) => deployments,
  );
  useFollowed(DeploymentChangedDocument, {}, reload);
  return (
    <Listing
      title="Deployments"
      rows={rows}
      told={error && problemOf(error)}
      retry={reload}
      more={hasMore ? more : undefined}
      empty={empty}
      keyOf={({ id }) => id}
      render={(deployment) => <Line deployment={deployment} isInItsCluster={clusterId !== undefined} />}
    />
  );
}

function Line({ deployment, isInItsCluster }: { deployment: Deployment; isInItsCluster: boolean }) {
  const { id, namespace, name, image, replicas, readyReplicas, status, message, cluster } = deployment;
  return (
    <div>
      <Status of={status} />{' '}
      <Link to="/kubernetes/deployments/$id" params={{ id }}>
        {namespace}/{name}
      </Link>{' '}
      {!isInItsCluster && `in ${cluster?.name ?? 'a cluster that was removed'}`}
      {message && <p>{message}</p>}
      <p className="quiet">
        <code>{image}</code> {readyReplicas} of {replicas} ready
        {deployment.placementId && ', of a placement'}
        {!deployment.isManaged && ', not made by the panel'}
      </p>
    </div>
  );
}
