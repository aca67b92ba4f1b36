import { advisoryLock } from '#platform/database/advisory-lock.js';
import { ApiError, notFound } from '#platform/errors.js';
import { IdempotencyKeys, type RepeatableCall } from '#platform/idempotency/idempotency-keys.js';
import { newId } from '#platform/ids.js';
import type { Keyring } from '#platform/secrets/keyring.js';
import type { Operation, Write } from '#platform/subgraph/operation.js';
import { validate } from '#platform/validation.js';
import { viewerId } from '#platform/viewer.js';

import type { KubeClient } from '../cluster/api/client.js';
import type { KubeClients } from '../cluster/api/clients.js';
import { KubeError } from '../cluster/api/kube-error.js';
import { holdCluster } from '../cluster/change.service.js';
import type { Cluster } from '../cluster/cluster.entity.js';
import { ChangeCause } from '../revision/change-cause.js';
import type { Revisions } from '../revision/keep-revision.service.js';
import type { DeploymentAdmission } from './admission.service.js';
import { tryDeployment, type Application } from './apply.js';
import { changeDeployment, deploymentEvent, lockDeployment } from './change.service.js';
import { refusalOf } from './conflict.js';
import { Deployment } from './deployment.entity.js';
import {
  createDeploymentRules,
  updateDeploymentRules,
  type CreateDeploymentInput,
  type UpdateDeploymentInput,
} from './deployment.inputs.js';
import { DeploymentStatus } from './deployment.status.js';
import { changedBy, desiredOf, namesIn } from './desired.js';
import { beingDeleted, clusterFor, managedDeployment } from './managed.service.js';
import { deploymentsPath, type Desired } from './manifest.js';
import { newDeployment } from './new-deployment.js';
import { claimMs } from './retry.js';
import { beforeOf, WrittenWishes, type RepeatableMutation, type Written } from './written-wish.js';

/** What is asked of a deployment that is there. */
export interface AskedChange {
  changeCause: ChangeCause;
  /** What is wanted then, by what is wanted now. */
  desired: (was: Desired, deployment: Deployment) => Desired | Promise<Desired>;
  takesOver?: boolean | null | undefined;
  toRevision?: number;
  /** Whether it is for nothing while the rollout is paused in the cluster. */
  needsRollout?: boolean;
  /** For the audit trail, beside the revision. */
  changes: (desired: Desired, deployment: Deployment) => Record<string, unknown>;
  /** Where a client may repeat it under a key. */
  call?: RepeatableCall<RepeatableMutation>;
}

/**
 * What tenants ask of deployments. Each is tried first without effect; then it is written down, and then applied. Whoever
 * dies in between leaves it due, and applying the same once more changes nothing.
 */
export class DeployService {
  readonly idempotency = new IdempotencyKeys('hosting', ['restartDeployment']);
  private readonly written: WrittenWishes;

  constructor(
    private readonly clients: KubeClients,
    private readonly keyring: Keyring,
    private readonly admission: DeploymentAdmission,
    private readonly revisions: Revisions,
  ) {
    this.written = new WrittenWishes(clients, this.idempotency);
  }

  async create(operation: Operation, input: CreateDeploymentInput): Promise<Deployment> {
    const wish = validate(createDeploymentRules, input);
    const { tenantId, clock } = operation;
    operation.refuseSuspended(tenantId);
    const cluster = await clusterFor(operation, wish.clusterId);
    const id = newId('deployment');
    const place = { namespace: wish.namespace ?? 'default', name: wish.name };
    const desired: Desired = {
      image: wish.image,
      replicas: wish.replicas ?? 1,
      env: wish.env ?? {},
      ports: wish.ports ?? [],
    };
    await this.admission.require(operation, {
      action: 'deployment.create',
      cluster,
      namespace: place.namespace,
      desired,
    });
    const application: Application = { id, ...place, uid: null, desired };
    await this.tried(cluster, async (client) => {
      await refuseTaken(client, place);
      return tryDeployment(client, application);
    });
    const now = clock.now();
    const sealed = await operation.write(async ({ em, publish, audit }) => {
      await advisoryLock(
        em,
        'hosting.deployment',
        `${tenantId} ${cluster.id} ${place.namespace} ${place.name}`,
      );
      const taken = await em.count(Deployment, {
        tenantId,
        clusterId: cluster.id,
        ...place,
        deletedAt: null,
      });
      if (taken > 0) throw nameTaken(place);
      // It may have been removed while it was asked.
      if (!(await holdCluster(em, tenantId, cluster.id))) throw notFound('Cluster');
      const deployment = em.create(
        Deployment,
        newDeployment({
          tenantId,
          id,
          clusterId: cluster.id,
          ...place,
          placementId: null,
          desired,
          sealed: this.keyring.seal(JSON.stringify(desired), id),
          createdAt: now,
          dueAt: new Date(now.getTime() + claimMs),
        }),
      );
      const { CREATE: changeCause } = ChangeCause;
      const kept = await this.revisions.keep(em, deployment, {
        desired,
        was: null,
        changeCause,
        by: viewerId(operation.requireViewer()),
        now,
      });
      deployment.sealedDesired = kept.sealed;
      const { image, replicas } = desired;
      audit({
        target: id,
        changes: { clusterId: cluster.id, ...place, image, replicas, env: Object.keys(desired.env) },
      });
      publish(deploymentEvent(deployment, null));
      return kept.sealed;
    });
    return this.written.apply(operation, cluster, { application, sealed, before: undefined });
  }

  async update(operation: Operation, id: string, input: UpdateDeploymentInput): Promise<Deployment> {
    const { takesOver, ...wish } = validate(updateDeploymentRules, input);
    return this.change(operation, id, {
      changeCause: ChangeCause.UPDATE,
      desired: (was) => changedBy(wish, was),
      takesOver,
      changes: ({ image, replicas }) => ({
        image,
        replicas,
        ...namesIn(wish),
        takesOver: takesOver ?? false,
      }),
    });
  }

  /** Has a deployment of the panel's be as it is asked for. */
  async change(operation: Operation, id: string, asked: AskedChange): Promise<Deployment> {
    const { tenantId, clock } = operation;
    const { changeCause, takesOver, call } = asked;
    const before = await managedDeployment(operation, id);
    const cluster = await clusterFor(operation, before.clusterId);
    const { revision: _revision, takesOver: _tookOver, ...was } = desiredOf(this.keyring, before)!;
    const desired: Desired = {
      ...(await asked.desired(was, before)),
      ...(takesOver ? { takesOver } : {}),
    };
    const { namespace, name, uid } = before;
    await this.admission.require(operation, { action: 'deployment.update', cluster, namespace, desired });
    const application: Application = { id, namespace, name, uid, desired };
    const tried = await this.tried(cluster, async (client) => tryDeployment(client, application));
    if (asked.needsRollout === true && tried?.spec.paused === true) throw rolloutPaused();
    const now = clock.now();
    const work = async ({ em, publish, audit }: Write): Promise<Written> => {
      const deployment = await lockDeployment(em, tenantId, id);
      if (!deployment || deployment.deletedAt !== null) throw notFound('Deployment');
      if (deployment.status === DeploymentStatus.DELETING) throw beingDeleted();
      if (deployment.sealedDesired !== before.sealedDesired)
        throw new ApiError('CONFLICT', 'Somebody else changed it meanwhile', { reason: 'CHANGED_MEANWHILE' });
      const known = beforeOf(deployment);
      const kept = await this.revisions.keep(em, deployment, {
        desired,
        was: desiredOf(this.keyring, deployment)!,
        changeCause,
        ...(asked.toRevision === undefined ? {} : { toRevision: asked.toRevision }),
        by: viewerId(operation.requireViewer()),
        now,
      });
      const { image, replicas } = desired;
      audit({ target: id, changes: { ...asked.changes(desired, before), revision: kept.revision } });
      changeDeployment(publish, deployment, {
        image,
        replicas,
        status: DeploymentStatus.PENDING,
        reason: null,
        message: null,
        sealedDesired: kept.sealed,
        dueAt: new Date(now.getTime() + claimMs),
        failures: 0,
      });
      return { sealed: kept.sealed, before: { ...known, firstNew: kept.first } };
    };
    const written = call
      ? await this.idempotency.write<Written | undefined, string>(
          operation,
          call,
          () => undefined,
          async (write) => ({ answer: await work(write), response: id }),
        )
      : await operation.write(work);
    // The same call was made meanwhile.
    if (!written) return managedDeployment(operation, id);
    return this.written.apply(operation, cluster, { application, ...written, call });
  }

  private async tried<Answer>(
    cluster: Cluster,
    work: (client: KubeClient) => Promise<Answer>,
  ): Promise<Answer> {
    try {
      return await work(await this.clients.recognized(cluster));
    } catch (error) {
      throw error instanceof KubeError ? refusalOf(error) : error;
    }
  }
}

async function refuseTaken(client: KubeClient, place: { namespace: string; name: string }): Promise<void> {
  try {
    await client.body(`${deploymentsPath(place.namespace)}/${place.name}`);
  } catch (error) {
    if (error instanceof KubeError && error.kind === 'NOT_FOUND') return;
    throw error;
  }
  throw nameTaken(place);
}

/** As kubectl says: nothing would come of it before somebody resumes the rollout. */
function rolloutPaused(): ApiError {
  return new ApiError(
    'CONFLICT',
    'Its rollout is paused in the cluster: `kubectl rollout resume` lets it go on, and then this can be done',
    { reason: 'PAUSED' },
  );
}

function nameTaken({ namespace, name }: { namespace: string; name: string }): ApiError {
  return new ApiError('CONFLICT', `There is a deployment ${name} in ${namespace} already`, {
    reason: 'NAME_TAKEN',
  });
}
