import type { AreaContext, RunningArea } from '#platform/area.js';
import { TargetGuard } from '#platform/outbound/guard.js';

import { DeployService } from '../deployment/deploy.service.js';
import { DeploymentResolver } from '../deployment/deployment.resolver.js';
import { DeploymentService } from '../deployment/deployment.service.js';
import { applyJob, deploymentsDueSweep, kubernetesRetention } from '../deployment/pending.job.js';
import type { HostingEnv } from '../env.js';
import { KubeClients } from './api/clients.js';
import { ClusterLoader } from './cluster.loader.js';
import { ClusterResolver } from './cluster.resolver.js';
import { ClusterService } from './cluster.service.js';
import { RegisterService } from './register.service.js';
import { Watchers } from './watch/watchers.job.js';

/** Everything about clusters and deployments that the subgraph's wiring takes in. */
export function createKubernetes(context: AreaContext<HostingEnv>) {
  const { database, clock, logger, keyring, settings } = context;
  const guard = new TargetGuard({ allowPrivateTargets: settings.ALLOW_PRIVATE_TARGETS, logger });
  const clients = new KubeClients(guard, keyring);
  const watchers = new Watchers({ database, clients, clock, logger });
  const clusters = new ClusterService();
  const deployments = new DeploymentService();
  return {
    clusters,
    deployments,
    resolvers: [
      new ClusterResolver(clusters, new RegisterService(clients)),
      new DeploymentResolver(deployments, new DeployService(clients, keyring), new ClusterLoader()),
    ],
    sweeps: [deploymentsDueSweep, kubernetesRetention],
    jobs: [applyJob({ clients, keyring })] as NonNullable<RunningArea['jobs']>,
    start: async () => watchers.start(),
    stop: async () => {
      await watchers.stop();
      clients.close();
    },
  };
}
