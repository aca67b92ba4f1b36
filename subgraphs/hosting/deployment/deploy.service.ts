import { advisoryLock } from '#platform/database/advisory-lock.js';
import { ApiError, notFound } from '#platform/errors.js';
import { newId } from '#platform/ids.js';
import type { Keyring } from '#platform/secrets/keyring.js';
import type { Operation } from '#platform/subgraph/operation.js';
import { validate } from '#platform/validation.js';

import type { KubeClients } from '../cluster/api/clients.js';
import { KubeError } from '../cluster/api/kube-error.js';
import { Cluster } from '../cluster/cluster.entity.js';
import { applyDeployment } from './apply.js';
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
import { deploymentLabel, deploymentsPath, type Desired } from './manifest.js';
import type { KubeDeployment } from './rollout.js';
import { seenFields } from './seen.js';

/** How long an attempt may take before somebody else tries again. */
const claimMs = 60_000;

/**
 * What tenants ask of deployments. Each is tried first without effect; then it is written down, and then applied. Whoever
 * dies in between leaves it due, and applying the same once more changes nothing.
 */
export class DeployService {
  constructor(
    private readonly clients: KubeClients,
    private readonly keyring: Keyring,
  ) {}

  async create(operation: Operation, input: CreateDeploymentInput): Promise<Deployment> {
    const wish = validate(createDeploymentRules, input);
    const { tenantId, clock } = operation;
    operation.refuseSuspended(tenantId);
    const cluster = await this.cluster(operation, wish.clusterId);
    const id = newId('deployment');
    const place = { namespace: wish.namespace ?? 'default', name: wish.name };
    const desired: Desired = {
      image: wish.image,
      replicas: wish.replicas ?? 1,
      env: wish.env ?? {},
      ports: wish.ports ?? [],
    };
    await this.refuseTaken(cluster, place);
    await this.tried(cluster, { id, ...place, desired });
    const now = clock.now();
    await operation.write(async ({ em, publish, audit }) => {
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
      const deployment = em.create(Deployment, {
        tenantId,
        id,
        version: '1',
        clusterId: cluster.id,
        ...place,
        uid: null,
        resourceVersion: null,
        isManaged: true,
        image: desired.image,
        replicas: desired.replicas,
        readyReplicas: 0,
        updatedReplicas: 0,
        availableReplicas: 0,
        status: DeploymentStatus.PENDING,
        reason: null,
        message: null,
        sealedDesired: this.keyring.seal(JSON.stringify(desired), id),
        dueAt: new Date(now.getTime() + claimMs),
        failures: 0,
        createdAt: now,
        deletedAt: null,
      });
      const { image, replicas } = desired;
      audit({
        target: id,
        changes: { clusterId: cluster.id, ...place, image, replicas, env: Object.keys(desired.env) },
      });
      publish(deploymentEvent(deployment, null));
    });
    return this.applied(operation, cluster, { id, ...place, desired }, undefined);
  }

  async update(operation: Operation, id: string, input: UpdateDeploymentInput): Promise<Deployment> {
    const { takesOver, ...wish } = validate(updateDeploymentRules, input);
    const { tenantId, clock } = operation;
    const before = await this.managed(operation, id);
    const cluster = await this.cluster(operation, before.clusterId);
    const was = JSON.parse(this.keyring.open(before.sealedDesired!, id)) as Desired;
    const desired: Desired = {
      ...was,
      image: wish.image ?? was.image,
      replicas: wish.replicas ?? was.replicas,
      env: wish.env ?? was.env,
    };
    const { namespace, name } = before;
    const application = { id, namespace, name, desired, isForced: takesOver ?? false };
    await this.tried(cluster, application);
    const now = clock.now();
    await operation.write(async ({ em, publish, audit }) => {
      const deployment = await lockDeployment(em, tenantId, id);
      if (!deployment || deployment.deletedAt !== null) throw notFound('Deployment');
      if (deployment.version !== before.version && deployment.sealedDesired !== before.sealedDesired)
        throw new ApiError('CONFLICT', 'Somebody else changed it meanwhile', { reason: 'CHANGED_MEANWHILE' });
      const { image, replicas } = desired;
      const env = wish.env ? { env: Object.keys(wish.env) } : {};
      audit({ target: id, changes: { image, replicas, ...env, takesOver: takesOver ?? false } });
      changeDeployment(publish, deployment, {
        image,
        replicas,
        status: DeploymentStatus.PENDING,
        reason: null,
        message: null,
        sealedDesired: this.keyring.seal(JSON.stringify(desired), id),
        dueAt: new Date(now.getTime() + claimMs),
        failures: 0,
      });
    });
    return this.applied(operation, cluster, application, before);
  }

  /**
   * Deletes a deployment that the panel made, and only the very one: what somebody has put in its place meanwhile has
   * another uid, and stays.
   */
  async delete(operation: Operation, id: string): Promise<Deployment> {
    const { tenantId, clock } = operation;
    const before = await this.managed(operation, id);
    const cluster = await this.cluster(operation, before.clusterId);
    const client = this.clients.of(cluster);
    const path = `${deploymentsPath(before.namespace)}/${before.name}`;
    let isGone = false;
    try {
      const { metadata } = await client.get<KubeDeployment>(path);
      if (metadata.labels?.[deploymentLabel] !== id || (before.uid !== null && metadata.uid !== before.uid))
        throw new ApiError('CONFLICT', 'Somebody has put another deployment in its place', {
          reason: 'REPLACED',
        });
      await client.get(path, {
        method: 'DELETE',
        body: {
          apiVersion: 'v1',
          kind: 'DeleteOptions',
          propagationPolicy: 'Foreground',
          preconditions: { uid: metadata.uid },
        },
      });
    } catch (error) {
      if (!(error instanceof KubeError)) throw error;
      if (error.kind !== 'NOT_FOUND') throw refusalOf(error);
      isGone = true;
    }
    const now = clock.now();
    return operation.write(async ({ em, publish, audit }) => {
      const deployment = await lockDeployment(em, tenantId, id);
      if (!deployment) throw notFound('Deployment');
      audit({ target: id, changes: { name: deployment.name, deleted: true } });
      if (deployment.deletedAt !== null) return deployment;
      changeDeployment(publish, deployment, {
        status: isGone ? DeploymentStatus.DELETED : DeploymentStatus.DELETING,
        reason: null,
        message: null,
        dueAt: null,
        sealedDesired: null,
        ...(isGone ? { deletedAt: now } : {}),
      });
      return deployment;
    });
  }

  /** Applies what was written down, and keeps what came of it. A refusal undoes the row, as nothing was done. */
  private async applied(
    operation: Operation,
    cluster: Cluster,
    application: Parameters<typeof applyDeployment>[1],
    before: Deployment | undefined,
  ): Promise<Deployment> {
    const { tenantId, clock } = operation;
    let seen: KubeDeployment | undefined;
    let problem: KubeError | undefined;
    try {
      seen = await applyDeployment(this.clients.of(cluster), application);
    } catch (error) {
      if (!(error instanceof KubeError)) throw error;
      problem = error;
    }
    const kept = await operation.write(async ({ em, publish }) => {
      const deployment = await lockDeployment(em, tenantId, application.id);
      if (!deployment) throw notFound('Deployment');
      if (seen) changeDeployment(publish, deployment, { ...seenFields(seen), dueAt: null, failures: 0 });
      else if (problem?.isRefusal && before)
        changeDeployment(publish, deployment, {
          image: before.image,
          replicas: before.replicas,
          status: before.status,
          reason: before.reason,
          message: before.message,
          sealedDesired: before.sealedDesired,
          dueAt: null,
        });
      else if (problem?.isRefusal)
        changeDeployment(publish, deployment, {
          status: DeploymentStatus.DELETED,
          deletedAt: clock.now(),
          sealedDesired: null,
          dueAt: null,
        });
      else
        changeDeployment(publish, deployment, {
          reason: 'CLUSTER_AWAY',
          message: `The cluster could not be asked: ${problem!.message}`,
          dueAt: new Date(clock.now().getTime() + 10_000),
        });
      return deployment;
    });
    if (problem?.isRefusal) throw refusalOf(problem);
    return kept;
  }

  private async tried(cluster: Cluster, application: Parameters<typeof applyDeployment>[1]): Promise<void> {
    try {
      await applyDeployment(this.clients.of(cluster), { ...application, isDryRun: true });
    } catch (error) {
      throw error instanceof KubeError ? refusalOf(error) : error;
    }
  }

  private async refuseTaken(cluster: Cluster, place: { namespace: string; name: string }): Promise<void> {
    try {
      await this.clients.of(cluster).get(`${deploymentsPath(place.namespace)}/${place.name}`);
    } catch (error) {
      if (error instanceof KubeError && error.kind === 'NOT_FOUND') return;
      throw error instanceof KubeError ? refusalOf(error) : error;
    }
    throw nameTaken(place);
  }

  private async managed({ em, tenantId }: Operation, id: string): Promise<Deployment> {
    const deployment = await em.findOne(Deployment, { tenantId, id, deletedAt: null });
    if (!deployment) throw notFound('Deployment');
    if (!deployment.isManaged)
      throw new ApiError('CONFLICT', 'The panel did not make this deployment, and leaves it to whoever did', {
        reason: 'NOT_MANAGED',
      });
    if (deployment.status === DeploymentStatus.DELETING)
      throw new ApiError('CONFLICT', 'It is being deleted', { reason: 'DEPLOYMENT_DELETED' });
    return deployment;
  }

  private async cluster({ em, tenantId }: Operation, id: string): Promise<Cluster> {
    const cluster = await em.findOne(Cluster, { tenantId, id, deletedAt: null });
    if (!cluster) throw notFound('Cluster');
    return cluster;
  }
}

function nameTaken({ namespace, name }: { namespace: string; name: string }): ApiError {
  return new ApiError('CONFLICT', `There is a deployment ${name} in ${namespace} already`, {
    reason: 'NAME_TAKEN',
  });
}
