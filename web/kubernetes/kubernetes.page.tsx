import { problemOf } from '../api/problem.ts';
import { useFollowed } from '../api/use-followed.ts';
import { usePages } from '../api/use-pages.ts';
import { ClusterChangedDocument, ClustersDocument } from '../generated/graphql.ts';
import { Page } from '../parts/page.tsx';
import { useViewer } from '../session/viewer.tsx';
import { Clusters } from './clusters.tsx';
import { Deployments } from './deployments.tsx';
import { NewCluster } from './new-cluster.tsx';
import { NewDeployment } from './new-deployment.tsx';
import { Placements } from './placements.tsx';

/** Clusters, what runs in them, and what was placed on several, live. */
export default function KubernetesPage() {
  const { may } = useViewer();
  const { rows, error, hasMore, more, reload } = usePages(ClustersDocument, {}, ({ clusters }) => clusters);
  useFollowed(ClusterChangedDocument, {}, reload);
  const isRunner = may('hosting.deployment.manage') && rows !== undefined && rows.length > 0;
  return (
    <Page title="Kubernetes">
      <div className="cards">
        <Clusters
          rows={rows}
          told={error && problemOf(error)}
          more={hasMore ? more : undefined}
          reload={reload}
        />
        {may('hosting.deployment.read') && (
          <Deployments empty="Nothing runs yet, or no cluster is registered." />
        )}
        {may('hosting.deployment.read') && <Placements />}
        {isRunner && <NewDeployment clusters={rows} hasMore={hasMore} />}
        {may('hosting.cluster.manage') && <NewCluster onMade={reload} />}
      </div>
    </Page>
  );
}
