import { ApiError, notFound } from '#platform/errors.js';
import type { Operation } from '#platform/subgraph/operation.js';

import { Cluster } from '../cluster/cluster.entity.js';
import { Deployment } from './deployment.entity.js';
import { DeploymentStatus } from './deployment.status.js';

/** A deployment that the panel made and that is not being deleted; throws otherwise. */
export async function managedDeployment({ em, tenantId }: Operation, id: string): Promise<Deployment> {
  const deployment = await em.findOne(Deployment, { tenantId, id, deletedAt: null });
  if (!deployment) throw notFound('Deployment');
  if (!deployment.isManaged)
    throw new ApiError('CONFLICT', 'The panel did not make this deployment, and leaves it to whoever did', {
      reason: 'NOT_MANAGED',
    });
  if (deployment.placementId !== null)
    throw new ApiError('CONFLICT', 'It is of a placement: change or remove that', {
      reason: 'PLACED',
      details: { placement: deployment.placementId },
    });
  if (deployment.status === DeploymentStatus.DELETING) throw beingDeleted();
  return deployment;
}

/** A cluster in which something may be changed; throws otherwise. */
export async function clusterFor({ em, tenantId }: Operation, id: string): Promise<Cluster> {
  const cluster = await em.findOne(Cluster, { tenantId, id, deletedAt: null });
  if (!cluster) throw notFound('Cluster');
  if (cluster.reason === 'OTHER_CLUSTER')
    throw new ApiError('CONFLICT', 'Another cluster answers at its address', { reason: 'OTHER_CLUSTER' });
  return cluster;
}

export function beingDeleted(): ApiError {
  return new ApiError('CONFLICT', 'It is being deleted', { reason: 'DEPLOYMENT_DELETED' });
}
