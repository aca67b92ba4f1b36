import { notFound } from '#platform/errors.js';
import type { IdempotencyKeys, RepeatableCall } from '#platform/idempotency/idempotency-keys.js';
import type { Operation } from '#platform/subgraph/operation.js';

import type { KubeClients } from '../cluster/api/clients.js';
import { KubeError } from '../cluster/api/kube-error.js';
import type { Cluster } from '../cluster/cluster.entity.js';
import { forgetRevisions } from '../revision/keep-revision.service.js';
import { applyDeployment, type Application } from './apply.js';
import {
  changeDeployment,
  goneAt,
  lockDeployment,
  settleDeployment,
  type DeploymentChange,
} from './change.service.js';
import { refusalOf } from './conflict.js';
import type { Deployment } from './deployment.entity.js';
import { DeploymentStatus } from './deployment.status.js';
import type { KubeDeployment } from './kube-deployment.js';
import { awayFor } from './retry.js';
import { seenFields } from './seen.js';

export type RepeatableMutation = 'restartDeployment';

/** What was written down of a deployment, and is to be applied. */
interface Wish {
  application: Application;
  /** What the row has then. */
  sealed: string;
  /** Undefined of a new one. */
  before: Before | undefined;
  call?: RepeatableCall<RepeatableMutation> | undefined;
}

export type Written = Pick<Wish, 'sealed' | 'before'>;

/** What a row was before a change was written down. */
interface Before {
  fields: DeploymentChange;
  isDue: boolean;
  /** The first of its revisions that is new by the change; undefined where none is. */
  firstNew: number | undefined;
}

export const beforeOf = ({
  image,
  replicas,
  status,
  reason,
  message,
  sealedDesired,
  dueAt,
}: Deployment): Omit<Before, 'firstNew'> => ({
  fields: { image, replicas, status, reason, message, sealedDesired },
  isDue: dueAt !== null,
});

/** Has clusters be as it was written down. */
export class WrittenWishes {
  constructor(
    private readonly clients: KubeClients,
    private readonly idempotency: IdempotencyKeys<RepeatableMutation>,
  ) {}

  /** Applies what was written down, and keeps what came of it. A refusal undoes the row, as nothing was done. */
  async apply(operation: Operation, cluster: Cluster, wish: Wish): Promise<Deployment> {
    const { tenantId, clock } = operation;
    const { application, sealed, before, call } = wish;
    let seen: KubeDeployment | undefined;
    let problem: KubeError | undefined;
    try {
      seen = await applyDeployment(await this.clients.recognized(cluster), application);
    } catch (error) {
      if (!(error instanceof KubeError)) throw error;
      problem = error;
    }
    const kept = await operation.write(async ({ em, publish }) => {
      const deployment = await lockDeployment(em, tenantId, application.id);
      if (!deployment) throw notFound('Deployment');
      const now = clock.now();
      if (problem?.isRefusal && call) await this.idempotency.forget(operation, { em }, call);
      // What somebody else has asked for meanwhile counts, and is applied once more where this may have come after it.
      if (deployment.status === DeploymentStatus.DELETING || deployment.deletedAt !== null) return deployment;
      if (deployment.sealedDesired !== sealed)
        Object.assign(deployment, { dueAt: now }, seen ? { sealedTaken: sealed } : {});
      else if (seen) settleDeployment(publish, deployment, { ...seenFields(seen), sealedTaken: sealed }, now);
      else if (problem!.isRefusal) {
        settleDeployment(publish, deployment, before?.fields ?? goneAt(now), now);
        if (before?.firstNew !== undefined) await forgetRevisions(em, deployment, before.firstNew);
        // What was to be applied still is.
        if (before?.isDue) deployment.dueAt = now;
      } else changeDeployment(publish, deployment, awayFor(problem!, now, 0));
      return deployment;
    });
    if (problem?.isRefusal) throw refusalOf(problem);
    return kept;
  }
}
