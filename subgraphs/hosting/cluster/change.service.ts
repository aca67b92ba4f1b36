import type { SqlEntityManager } from '#platform/database/database.js';
import type { OutboxEvent } from '#platform/outbox/outbox.js';
import type { ClusterChanged } from '#schema/events.js';

import { Cluster } from './cluster.entity.js';

/** The row as it is now, locked until the transaction ends; null when there is none, or it was removed. */
export async function lockCluster(
  em: SqlEntityManager,
  tenantId: string,
  id: string,
): Promise<Cluster | null> {
  await em.execute('select 1 from hosting.cluster where tenant_id = ? and id = ? for update', [tenantId, id]);
  return em.findOne(Cluster, { tenantId, id, deletedAt: null }, { refresh: true });
}

export type ClusterChange = Partial<Omit<Cluster, 'tenantId' | 'id' | 'version'>>;

/** Changes a cluster and tells of it. */
export function changeCluster(
  publish: (event: OutboxEvent) => void,
  cluster: Cluster,
  change: ClusterChange,
): void {
  const from = cluster.status;
  Object.assign(cluster, change);
  cluster.version = String(Number(cluster.version) + 1);
  publish(clusterEvent(cluster, from));
}

export function clusterEvent(cluster: Cluster, from: string | null): OutboxEvent {
  return {
    topic: 'hosting.cluster.changed',
    tenantId: cluster.tenantId,
    entityId: cluster.id,
    entityVersion: Number(cluster.version),
    payload: {
      clusterId: cluster.id,
      from,
      to: cluster.status,
      isRemoved: cluster.deletedAt !== null,
    } satisfies ClusterChanged,
  };
}
