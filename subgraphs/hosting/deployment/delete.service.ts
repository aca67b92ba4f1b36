import { ApiError, notFound } from '#platform/errors.js';
import type { Operation } from '#platform/subgraph/operation.js';

import type { KubeClients } from '../cluster/api/clients.js';
import { KubeError } from '../cluster/api/kube-error.js';
import { deleteDeployment, lookAt, type End } from './apply.js';
import { changeDeployment, lockDeployment, settleDeployment } from './change.service.js';
import { refusalOf } from './conflict.js';
import type { Deployment } from './deployment.entity.js';
import { DeploymentStatus } from './deployment.status.js';
import { afterDeletion } from './end.js';
import { beingDeleted, clusterFor, managedDeployment } from './managed.service.js';
import { awayFor, claimMs } from './retry.js';

/** Deletes deployments that the panel made. Written down first, and tried until it is done. */
export class DeleteService {
  constructor(private readonly clients: KubeClients) {}

  async delete(operation: Operation, id: string): Promise<Deployment> {
    const { tenantId, clock } = operation;
    const before = await managedDeployment(operation, id);
    const cluster = await clusterFor(operation, before.clusterId);
    // A cluster that is away, and a stranger in its place, leave all as it was.
    const there = await asked(async () => lookAt(await this.clients.recognized(cluster), before));
    if (there === 'REPLACED')
      throw new ApiError('CONFLICT', 'Somebody has put another deployment in its place', {
        reason: 'REPLACED',
      });
    let was: Pick<Deployment, 'status' | 'reason' | 'message' | 'dueAt'> | undefined;
    await operation.write(async ({ em, publish, audit }) => {
      const deployment = await lockDeployment(em, tenantId, id);
      if (!deployment || deployment.deletedAt !== null) throw notFound('Deployment');
      if (deployment.status === DeploymentStatus.DELETING) throw beingDeleted();
      const { name, status, reason, message, dueAt } = deployment;
      was = { status, reason, message, dueAt };
      audit({ target: id, changes: { name, deleted: true } });
      changeDeployment(publish, deployment, {
        status: DeploymentStatus.DELETING,
        reason: null,
        message: null,
        dueAt: new Date(clock.now().getTime() + claimMs),
        failures: 0,
      });
    });
    let end: End | undefined;
    let problem: KubeError | undefined;
    try {
      end = await deleteDeployment(await this.clients.recognized(cluster), before);
    } catch (error) {
      if (!(error instanceof KubeError)) throw error;
      problem = error;
    }
    const kept = await operation.write(async ({ em, publish }) => {
      const deployment = await lockDeployment(em, tenantId, id);
      if (!deployment) throw notFound('Deployment');
      if (deployment.status !== DeploymentStatus.DELETING) return deployment;
      const now = clock.now();
      if (end) afterDeletion(publish, deployment, { end, mayComeLate: was!.dueAt !== null, now });
      else if (problem!.isFinal) {
        settleDeployment(publish, deployment, was!, now);
        // What was to be applied still is.
        if (was!.dueAt !== null) deployment.dueAt = now;
      } else changeDeployment(publish, deployment, awayFor(problem!, now, deployment.failures));
      return deployment;
    });
    if (problem?.isFinal) throw refusalOf(problem);
    return kept;
  }
}

async function asked<Answer>(work: () => Promise<Answer>): Promise<Answer> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof KubeError ? refusalOf(error) : error;
  }
}
