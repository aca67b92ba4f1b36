import type { Admission } from '#platform/admission/admission.js';
import type { AreaContext, RunningArea } from '#platform/area.js';
import { TargetGuard } from '#platform/outbound/guard.js';

import { DeploymentAdmission } from '../deployment/admission.service.js';
import { DeleteService } from '../deployment/delete.service.js';
import { DeployService } from '../deployment/deploy.service.js';
import { DeploymentResolver } from '../deployment/deployment.resolver.js';
import { DeploymentService } from '../deployment/deployment.service.js';
import { deploymentsDueSweep, kubernetesRetention } from '../deployment/due.job.js';
import { deploymentsOfRemovedSweep } from '../deployment/of-removed.job.js';
import { applyJob } from '../deployment/pending.job.js';
import type { HostingEnv } from '../env.js';
import { advancePlacementJob } from '../placement/advance.job.js';
import { PlaceService } from '../placement/place.service.js';
import { PlacementResolver, PlacementTargetResolver } from '../placement/placement.resolver.js';
import { PlacementService } from '../placement/placement.service.js';
import { placementsDueSweep } from '../placement/placements-due.job.js';
import { TargetsLoader } from '../placement/targets.loader.js';
import { PodResolver } from '../pod/pod.resolver.js';
import { PodsService } from '../pod/pods.service.js';
import { Revisions } from '../revision/keep-revision.service.js';
import { RevisionResolver } from '../revision/revision.resolver.js';
import { RevisionService } from '../revision/revision.service.js';
import { RolloutService } from '../revision/rollout.service.js';
import { KubeClients } from './api/clients.js';
import { ClusterLoader } from './cluster.loader.js';
import { ClusterResolver } from './cluster.resolver.js';
import { ClusterService } from './cluster.service.js';
import { clusterGrantsRunOutSweep, endedClusterGrants, reclaimedClusters } from './ended-grants.job.js';
import { RegisterService } from './register.service.js';
import { wakeRestored, wakeRestoredJob } from './restored-tenant.job.js';
import { Watchers } from './watch/watchers.job.js';

/** Everything about clusters and deployments that the subgraph's wiring takes in. */
export function createKubernetes(context: AreaContext<HostingEnv>, admission: Admission) {
  const { database, clock, logger, keyring, settings, verifier } = context;
  const guard = new TargetGuard({ allowPrivateTargets: settings.ALLOW_PRIVATE_TARGETS, logger });
  const clients = new KubeClients(guard, keyring);
  const isSuspended = (tenantId: string) => verifier.isSuspended(tenantId);
  const watchers = new Watchers({ database, clients, clock, logger, isSuspended });
  const clusters = new ClusterService();
  const deployments = new DeploymentService();
  const placements = new PlacementService();
  const loader = new ClusterLoader();
  const targets = new TargetsLoader();
  const admissions = new DeploymentAdmission(admission);
  const revisions = new Revisions(keyring, settings.REVISION_HISTORY_LIMIT);
  const deploys = new DeployService(clients, keyring, admissions, revisions);
  return {
    loader,
    resolvers: [
      new ClusterResolver(clusters, new RegisterService(clients)),
      new DeploymentResolver({
        deployments,
        deploys,
        deletions: new DeleteService(clients),
        clusters: loader,
        keyring,
      }),
      new RevisionResolver(new RevisionService(keyring, revisions), new RolloutService(deploys, revisions)),
      new PodResolver(new PodsService(clients)),
      new PlacementResolver(placements, new PlaceService(keyring, admissions), targets, keyring),
      new PlacementTargetResolver(loader, targets),
    ],
    consumers: [wakeRestored, endedClusterGrants, reclaimedClusters],
    sweeps: [
      clusterGrantsRunOutSweep,
      deploymentsDueSweep,
      deploymentsOfRemovedSweep,
      placementsDueSweep,
      kubernetesRetention,
    ],
    jobs: [
      applyJob({ clients, keyring, isSuspended }),
      advancePlacementJob({ admission: admissions, keyring, isSuspended }),
      wakeRestoredJob,
    ] as NonNullable<RunningArea['jobs']>,
    start: async () => watchers.start(),
    stop: async () => {
      await watchers.stop();
      clients.close();
    },
  };
}
