import { requireListed } from '#platform/auth/permissions.js';
import { advisoryLock } from '#platform/database/advisory-lock.js';
import type { SqlEntityManager } from '#platform/database/database.js';
import { ApiError, invalid, notFound } from '#platform/errors.js';
import { grantOf, requireGrant } from '#platform/grant/grants.js';
import { newId } from '#platform/ids.js';
import { OutboundError } from '#platform/outbound/errors.js';
import { requireRoom, type Room } from '#platform/room.js';
import type { Operation } from '#platform/subgraph/operation.js';
import { validate } from '#platform/validation.js';
import { viewerId } from '#platform/viewer.js';

import { wakeDeployments } from '../deployment/wake.service.js';
import type { KubeClients } from './api/clients.js';
import { KubeError } from './api/kube-error.js';
import { identify, type Capacity } from './api/look.js';
import { changeCluster, clusterEvent, clusterFactsEvent, lockCluster } from './change.service.js';
import { Cluster } from './cluster.entity.js';
import {
  registerClusterRules,
  updateClusterRules,
  type RegisterClusterInput,
  type UpdateClusterInput,
} from './cluster.inputs.js';
import { ClusterStatus } from './cluster.status.js';
import { expiryOf, type Credential } from './kubeconfig/credential.js';
import { KubeconfigError, parseKubeconfig } from './kubeconfig/parse.js';

const room: Room = { lock: 'hosting.cluster', limit: 200, of: 'clusters', reason: 'CLUSTERS_LIMIT' };

interface Contacted {
  credential: Credential;
  identity: string;
  capacity: Capacity;
}

/** Lets clusters in, changes what is known of them, and lets them go. */
export class RegisterService {
  constructor(private readonly clients: KubeClients) {}

  /** Keeps a cluster that was contacted and knows the credential. */
  async register(operation: Operation, input: RegisterClusterInput): Promise<Cluster> {
    const wish = validate(registerClusterRules, input);
    const { tenantId } = operation;
    operation.refuseSuspended(tenantId);
    const { credential, identity, capacity } = await this.contact(operation, wish.kubeconfig);
    const now = operation.clock.now();
    const viewer = operation.requireViewer();
    return operation.write(async ({ em, publish, audit }) => {
      await requireGrant(em, 'hosting', viewer);
      await requireRoom(em, room, tenantId, () => em.count(Cluster, { tenantId, deletedAt: null }));
      await refuseTaken(em, tenantId, { name: wish.name, identity });
      const id = newId('cluster');
      const { name, provider, region } = wish;
      const cluster = em.create(Cluster, {
        tenantId,
        id,
        version: '1',
        name,
        provider,
        region,
        tags: [...new Set(wish.tags ?? [])],
        serverUrl: credential.server,
        identity,
        sealedCredential: this.clients.seal(id, credential),
        givenAt: now,
        credentialNumber: 1,
        credentialExpiresAt: expiryOf(credential) ?? null,
        ...capacity,
        status: ClusterStatus.HEALTHY,
        reason: null,
        message: null,
        lastSeenAt: now,
        createdAt: now,
        createdBy: viewerId(viewer),
        ...grantOf(viewer),
        deletedAt: null,
      });
      audit({ target: id, changes: { name, provider, region, server: credential.server } });
      publish(clusterEvent(cluster, null));
      publish(clusterFactsEvent(cluster));
      return cluster;
    });
  }

  /** A new credential has to be of the same cluster, or all that is known of its deployments would be another's. */
  async update(operation: Operation, id: string, input: UpdateClusterInput): Promise<Cluster> {
    const { kubeconfig, ...wish } = validate(updateClusterRules, input);
    const { tenantId, clock } = operation;
    const before = await operation.em.findOne(Cluster, { tenantId, id, deletedAt: null });
    if (!before) throw notFound('Cluster');
    const contacted = kubeconfig == null ? undefined : await this.contact(operation, kubeconfig);
    if (contacted && contacted.identity !== before.identity)
      throw new ApiError('CONFLICT', 'This is another cluster: register it as such', {
        reason: 'OTHER_CLUSTER',
      });
    const viewer = operation.requireViewer();
    // What is deployed there is sent to the new address, its secrets too.
    if (contacted && contacted.credential.server !== before.serverUrl)
      requireListed(viewer, 'hosting.deployment.manage');
    return operation.write(async ({ em, publish, audit }) => {
      await requireGrant(em, 'hosting', viewer);
      await advisoryLock(em, room.lock, tenantId);
      const cluster = await lockCluster(em, tenantId, id);
      if (!cluster) throw notFound('Cluster');
      const name = wish.name ?? cluster.name;
      await refuseTaken(em, tenantId, { name, except: id });
      audit({ target: id, changes: { ...wish, credential: contacted !== undefined } });
      changeCluster(publish, cluster, {
        name,
        provider: wish.provider ?? cluster.provider,
        region: wish.region ?? cluster.region,
        tags: wish.tags ? [...new Set(wish.tags)] : cluster.tags,
        ...(contacted
          ? {
              ...grantOf(viewer),
              serverUrl: contacted.credential.server,
              sealedCredential: this.clients.seal(id, contacted.credential),
              givenAt: clock.now(),
              credentialNumber: cluster.credentialNumber + 1,
              credentialExpiresAt: expiryOf(contacted.credential) ?? null,
              ...contacted.capacity,
              status: ClusterStatus.HEALTHY,
              reason: null,
              message: null,
              lastSeenAt: clock.now(),
            }
          : {}),
      });
      if (contacted) await wakeDeployments(em, { tenantId, clusterId: id, now: clock.now() });
      return cluster;
    });
  }

  /** Forgets a cluster with its credential. What runs there goes on; a sweep ends the rows of it. */
  async remove(operation: Operation, id: string, abandons: boolean): Promise<Cluster> {
    const { tenantId, clock } = operation;
    return operation.write(async ({ em, publish, audit }) => {
      const cluster = await lockCluster(em, tenantId, id);
      if (!cluster) throw notFound('Cluster');
      const [row] = await em.execute<{ count: number }[]>(
        `select count(*)::int as count from hosting.deployment
         where tenant_id = ? and cluster_id = ? and is_managed and deleted_at is null`,
        [tenantId, id],
      );
      const deployments = row!.count;
      if (deployments > 0 && !abandons)
        throw new ApiError(
          'CONFLICT',
          `There are ${deployments} deployments of the panel in it: delete them first`,
          {
            reason: 'DEPLOYMENTS_LEFT',
            details: { deployments },
          },
        );
      const now = clock.now();
      audit({ target: id, changes: { name: cluster.name, removed: true, abandoned: deployments } });
      changeCluster(publish, cluster, { deletedAt: now, sealedCredential: null });
      return cluster;
    });
  }

  private async contact(operation: Operation, kubeconfig: string): Promise<Contacted> {
    let credential: Credential;
    try {
      credential = parseKubeconfig(kubeconfig);
    } catch (error) {
      if (error instanceof KubeconfigError) throw invalid('input.kubeconfig', error.message);
      throw error;
    }
    const expiresAt = expiryOf(credential);
    if (expiresAt && expiresAt <= operation.clock.now())
      throw invalid('input.kubeconfig', `Its credential ended at ${expiresAt.toISOString()}`);
    try {
      await this.clients.guard.check(credential.server, { httpsOnly: true });
      const { identity, capacity, missing } = await this.clients.trying(credential, identify);
      if (missing.length > 0)
        throw invalid('input.kubeconfig', `Its user may not ${missing.join(', ')} in the whole cluster`);
      return { credential, identity, capacity };
    } catch (error) {
      throw refusedKubeconfig(error);
    }
  }
}

async function refuseTaken(
  em: SqlEntityManager,
  tenantId: string,
  { name, identity, except = '' }: { name: string; identity?: string; except?: string },
): Promise<void> {
  const taken = await em.execute<{ isName: boolean; id: string }[]>(
    `select id, lower(name) = lower(?) as "isName" from hosting.cluster
     where tenant_id = ? and deleted_at is null and id <> ? and (lower(name) = lower(?) or identity = ?)`,
    [name, tenantId, except, name, identity ?? ''],
  );
  if (taken.some(({ isName }) => isName))
    throw new ApiError('CONFLICT', `There is a cluster ${name} already`, { reason: 'NAME_TAKEN' });
  const [known] = taken;
  if (known)
    throw new ApiError(
      'CONFLICT',
      'This cluster is registered already: updateCluster replaces its credential',
      {
        reason: 'CLUSTER_KNOWN',
        details: { cluster: known.id },
      },
    );
}

/** What a failed contact is to whoever sent the kubeconfig. */
function refusedKubeconfig(error: unknown): unknown {
  if (error instanceof OutboundError)
    return error.reason === 'TIMEOUT' || error.reason === 'UNREACHABLE'
      ? away(error.message, error)
      : invalid('input.kubeconfig', error.message);
  if (!(error instanceof KubeError)) return error;
  const isNone = invalid('input.kubeconfig', 'There is no Kubernetes API at its server');
  const { status = 500 } = error.options;
  if (status === 404 || (error.kind === 'FAILED' && status < 500)) return isNone;
  switch (error.kind) {
    case 'UNAUTHORIZED':
      return invalid('input.kubeconfig', 'The cluster does not know its user');
    case 'FORBIDDEN':
      return invalid('input.kubeconfig', `Its user may not do what the panel needs: ${error.message}`);
    case 'CERTIFICATE':
    case 'TARGET_REFUSED':
      return invalid('input.kubeconfig', error.message);
    case 'NOT_FOUND':
    case 'INVALID':
      return isNone;
    case 'UNREACHABLE':
    case 'CONFLICT':
    case 'EXPIRED':
    case 'OTHER_CLUSTER':
    case 'TOO_LARGE':
    case 'RATE_LIMITED':
    case 'FAILED':
      return away(error.message, error);
  }
}

function away(message: string, cause: Error): ApiError {
  return new ApiError('UNAVAILABLE', `The cluster could not be asked: ${message}`, {
    reason: 'CLUSTER_AWAY',
    retryAfterSeconds: 10,
    cause,
  });
}
