import { invalid } from '#platform/errors.js';
import type { Operation } from '#platform/subgraph/operation.js';
import { validate } from '#platform/validation.js';

import type { DeployService } from '../deployment/deploy.service.js';
import type { Deployment } from '../deployment/deployment.entity.js';
import { managedDeployment } from '../deployment/managed.service.js';
import { ChangeCause } from './change-cause.js';
import type { Revisions } from './keep-revision.service.js';
import { DeploymentRevision } from './revision.entity.js';
import {
  restartDeploymentRules,
  rollBackDeploymentRules,
  type RestartDeploymentInput,
  type RollBackDeploymentInput,
} from './rollout.inputs.js';

/** Restarts deployments of the panel's, and rolls them back: both change what is wanted of them, which is applied anew. */
export class RolloutService {
  constructor(
    private readonly deploys: DeployService,
    private readonly revisions: Revisions,
  ) {}

  async restart(operation: Operation, input: RestartDeploymentInput): Promise<Deployment> {
    const { id, takesOver } = validate(restartDeploymentRules, input);
    const call = { mutation: 'restartDeployment' as const, input, key: input.idempotencyKey };
    operation.refuseSuspended(operation.tenantId);
    if ((await this.deploys.idempotency.find(operation, call)) !== undefined)
      return managedDeployment(operation, id);
    // In seconds, as Kubernetes has its times: a second call within one is the same restart.
    const restartedAt = operation.clock
      .now()
      .toISOString()
      .replace(/\.\d+Z$/, 'Z');
    return this.deploys.change(operation, id, {
      changeCause: ChangeCause.RESTART,
      desired: (was) => ({ ...was, restartedAt }),
      takesOver,
      needsRollout: true,
      changes: (_desired, { name }) => ({ name, restartedAt, takesOver: takesOver ?? false }),
      call,
    });
  }

  /** The number of replicas stays as it is: whoever scaled it since did not do that for one image alone. */
  async rollBack(operation: Operation, input: RollBackDeploymentInput): Promise<Deployment> {
    const { id, toRevision, takesOver } = validate(rollBackDeploymentRules, input);
    const { em, tenantId } = operation;
    return this.deploys.change(operation, id, {
      changeCause: ChangeCause.ROLLBACK,
      desired: async ({ replicas }) => {
        const kept = await em.findOne(DeploymentRevision, {
          tenantId,
          deploymentId: id,
          revision: toRevision,
        });
        if (!kept) throw invalid('input.toRevision', `No revision ${toRevision} of it is kept`);
        const { image, env, ports, restartedAt } = this.revisions.open(kept);
        return { image, replicas, env, ports, ...(restartedAt === undefined ? {} : { restartedAt }) };
      },
      takesOver,
      toRevision,
      needsRollout: true,
      changes: ({ image }, { name }) => ({ name, toRevision, image, takesOver: takesOver ?? false }),
    });
  }
}
