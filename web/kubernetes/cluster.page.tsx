import { getRouteApi } from '@tanstack/react-router';

import { useOne } from '../api/use-one.ts';
import { NoSuchPage } from '../app/no-such-page.tsx';
import {
  ClusterDetailDocument,
  ClusterProgressedDocument,
  type ClusterDetailFragment,
} from '../generated/graphql.ts';
import { Card, Meter } from '../parts/card.tsx';
import { One } from '../parts/one.tsx';
import { Page } from '../parts/page.tsx';
import { Status } from '../parts/status.tsx';
import { exactTime, Time } from '../parts/time.tsx';
import { count, words } from '../parts/words.ts';
import { useViewer } from '../session/viewer.tsx';
import { clusterAdvice } from './advice.ts';
import { ClusterPolicies } from './cluster-policies.tsx';
import { Deployments } from './deployments.tsx';
import { EditCluster } from './edit-cluster.tsx';
import { RemoveCluster } from './remove-cluster.tsx';
import { RotateCredential } from './rotate-credential.tsx';

const route = getRouteApi('/kubernetes/$id');

/** One cluster: how it is, what it has, what runs in it, and what policies say of it, live. */
export default function ClusterPage() {
  const { id } = route.useParams();
  return <Followed key={id} id={id} />;
}

function Followed({ id }: { id: string }) {
  const { row, told, read } = useOne({
    query: ClusterDetailDocument,
    events: ClusterProgressedDocument,
    variables: { id },
    pick: ({ cluster }) => cluster,
    pickEvent: ({ clusterChanged }) => clusterChanged,
  });
  if (row?.isRemoved) return <NoSuchPage />;
  return (
    <One what="the cluster" row={row} told={told} retry={read}>
      {(cluster) => <Shown cluster={cluster} onChange={read} />}
    </One>
  );
}

function Shown({ cluster, onChange }: { cluster: ClusterDetailFragment; onChange: () => void }) {
  const { may } = useViewer();
  const { id, name, status, reason, message, lastSeenAt } = cluster;
  const advice = clusterAdvice(reason);
  const isManager = may('hosting.cluster.manage');
  return (
    <Page title={name} actions={isManager && <RemoveCluster cluster={cluster} />}>
      <p aria-live="polite">
        <Status of={status} /> {reason && <strong>{words(reason)}</strong>} {message}
      </p>
      {advice && <p>{advice}</p>}
      <p className="quiet">
        It last answered <Time at={lastSeenAt} />.
      </p>
      <div className="cards">
        <Capacity cluster={cluster} />
        <About cluster={cluster} />
        {may('governance.policy.read') && <ClusterPolicies cluster={cluster} />}
        {may('hosting.deployment.read') && (
          <Deployments
            clusterId={id}
            empty="Nothing runs in it yet. Run an image at Kubernetes, or by kubectl: both are shown here."
          />
        )}
        {isManager && <EditCluster cluster={cluster} onChange={onChange} />}
        {isManager && <RotateCredential cluster={cluster} onChange={onChange} />}
      </div>
    </Page>
  );
}

function Capacity({
  cluster: { nodes, nodesReady, cpuCores, memoryGb, version },
}: {
  cluster: ClusterDetailFragment;
}) {
  return (
    <Card title="Capacity">
      <Meter label="Nodes that are ready" used={nodesReady} limit={nodes} />
      <dl>
        <dt>Processors</dt>
        <dd>{count(cpuCores)} cores</dd>
        <dt>Memory</dt>
        <dd>{count(memoryGb)} GiB</dd>
        <dt>Version of Kubernetes</dt>
        <dd>{version}</dd>
      </dl>
    </Card>
  );
}

function About({ cluster }: { cluster: ClusterDetailFragment }) {
  const { provider, region, tags, serverUrl, credentialExpiresAt, createdAt } = cluster;
  return (
    <Card title="About it">
      <dl>
        <dt>Whose it is</dt>
        <dd>{provider}</dd>
        <dt>Where it is</dt>
        <dd>{region}</dd>
        <dt>Tags</dt>
        <dd>{tags.join(', ') || 'none'}</dd>
        <dt>API server</dt>
        <dd>
          <code>{serverUrl}</code>
        </dd>
        <dt>Its credential ends</dt>
        <dd>{credentialExpiresAt ? exactTime(credentialExpiresAt) : 'It does not say when.'}</dd>
        <dt>Registered</dt>
        <dd>
          <Time at={createdAt} />
        </dd>
      </dl>
    </Card>
  );
}
