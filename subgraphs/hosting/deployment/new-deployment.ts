import type { RequiredEntityData } from '@mikro-orm/core';

import type { Deployment } from './deployment.entity.js';
import { DeploymentStatus } from './deployment.status.js';
import type { Desired } from './manifest.js';

export interface WantedDeployment {
  tenantId: string;
  id: string;
  clusterId: string;
  namespace: string;
  name: string;
  placementId: string | null;
  desired: Desired;
  sealed: string;
  createdAt: Date;
  dueAt: Date;
}

/** The row of a deployment that is to be applied and was not seen yet. */
export function newDeployment({
  desired: { image, replicas },
  sealed,
  ...wanted
}: WantedDeployment): RequiredEntityData<Deployment> {
  return {
    ...wanted,
    version: '1',
    uid: null,
    resourceVersion: null,
    isManaged: true,
    image,
    replicas,
    readyReplicas: 0,
    updatedReplicas: 0,
    availableReplicas: 0,
    status: DeploymentStatus.PENDING,
    reason: null,
    message: null,
    sealedDesired: sealed,
    sealedTaken: null,
    lastRevision: 0,
    seenMeanwhile: null,
    callingUntil: null,
    failures: 0,
    deletedAt: null,
  };
}
