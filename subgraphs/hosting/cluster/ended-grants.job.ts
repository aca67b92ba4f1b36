import { LockMode } from '@mikro-orm/core';

import { endGrant } from '#platform/grant/grants.js';
import type { Sweep, SweepStep } from '#platform/membership/sweep.js';
import type { Consumer } from '#platform/outbox/consumer.js';
import { auditEvent } from '#platform/subgraph/audit.js';
import type { DelegationChanged } from '#schema/events.js';

import { changeCluster } from './change.service.js';
import { Cluster } from './cluster.entity.js';
import { ClusterStatus } from './cluster.status.js';
import { addressProved, grantEnded, type Forgotten } from './forgotten.js';

/** Forgets the credentials of clusters that were given under a grant that was ended, before its time or for another one. */
export const endedClusterGrants: Consumer = {
  topics: ['identity.delegation.ended'],
  async handle(step) {
    const { em, event } = step;
    const { delegationId } = event.payload as unknown as DelegationChanged;
    await endGrant(step, 'hosting', delegationId);
    const clusters = await em.find(
      Cluster,
      { tenantId: event.tenantId, grantId: delegationId, deletedAt: null },
      { lockMode: LockMode.PESSIMISTIC_WRITE, orderBy: { id: 'asc' } },
    );
    for (const cluster of clusters) forget(step, cluster, grantEnded, event.causedBy);
  },
};

/** Forgets what was given in an organization before the owner of an address proved that it is theirs, by whoever. */
export const reclaimedClusters: Consumer = {
  topics: ['identity.account.reclaimed'],
  async handle(step) {
    const { em, event } = step;
    const clusters = await em.find(
      Cluster,
      { tenantId: event.tenantId, deletedAt: null },
      { lockMode: LockMode.PESSIMISTIC_WRITE, orderBy: { id: 'asc' } },
    );
    for (const cluster of clusters)
      if ((cluster.givenAt ?? cluster.createdAt) <= event.occurredAt)
        forget(step, cluster, addressProved, event.causedBy);
  },
};

const atOnce = 20;

/** The same for grants that end at their time, of which nothing is told. */
export const clusterGrantsRunOutSweep: Sweep = {
  name: 'cluster.end-with-grants',
  everyMs: 5_000,
  due: 'select from hosting.cluster where grant_ends_at <= ?',
  async run(step) {
    const clusters = await step.em.find(
      Cluster,
      { grantEndsAt: { $lte: step.now } },
      { lockMode: LockMode.PESSIMISTIC_WRITE, orderBy: { grantEndsAt: 'asc', id: 'asc' }, limit: atOnce },
    );
    for (const cluster of clusters) forget(step, cluster, grantEnded);
    return clusters.length === atOnce ? 'more' : 'done';
  },
};

function forget(
  { publish }: Pick<SweepStep, 'publish'>,
  cluster: Cluster,
  why: Forgotten,
  causedBy?: string,
): void {
  cluster.grantEndsAt = null;
  if (cluster.deletedAt !== null || cluster.sealedCredential === null) return;
  const { tenantId, id } = cluster;
  const grantId = why === grantEnded ? cluster.grantId : null;
  changeCluster(publish, cluster, {
    sealedCredential: null,
    credentialNumber: cluster.credentialNumber + 1,
    credentialExpiresAt: null,
    status: ClusterStatus.DEGRADED,
    ...why,
    grantId,
  });
  publish({
    ...auditEvent(
      { name: 'updateCluster', args: {} },
      {
        tenantId,
        target: id,
        actor: 'svc:hosting',
        actorKind: 'service',
        clientAddress: '',
        changes: { credential: null, reason: why.reason, ...(grantId === null ? {} : { grant: grantId }) },
      },
    ),
    ...(causedBy === undefined ? {} : { causedBy }),
  });
}
