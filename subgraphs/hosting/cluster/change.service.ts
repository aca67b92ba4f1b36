import type { SqlEntityManager } from '#platform/database/database.js';
import type { OutboxEvent } from '#platform/outbox/outbox.js';
import type { ClusterChanged, ClusterFactsChanged } from '#schema/events.js';

import { Cluster } from './cluster.entity.js';
import { clusterFacts } from './facts.js';

/** The row as it is now, locked until the transaction ends; null when there is none, or it was removed. */
export async function lockCluster(
  em: SqlEntityManager,
  tenantId: string,
  id: string,
): Promise<Cluster | null> {
  await em.execute('select 1 from hosting.cluster where tenant_id = ? and id = ? for update', [tenantId, id]);
  return em.findOne(Cluster, { tenantId, id, deletedAt: null }, { refresh: true });
}

/** Whether a cluster is registered; if so it stays that until the transaction ends. */
export async function holdCluster(em: SqlEntityManager, tenantId: string, id: string): Promise<boolean> {
  const held = await em.execute<unknown[]>(
    'select 1 from hosting.cluster where tenant_id = ? and id = ? and deleted_at is null for share',
    [tenantId, id],
  );
  return held.length > 0;
}

export type ClusterChange = Partial<Omit<Cluster, 'tenantId' | 'id' | 'version'>>;

/** Changes a cluster and tells of it. */
export function changeCluster(
  publish: (event: OutboxEvent) => void,
  cluster: Cluster,
  change: ClusterChange,
): void {
  const from = cluster.status;
  const facts = JSON.stringify(clusterFacts(cluster));
  Object.assign(cluster, change);
  cluster.version = String(Number(cluster.version) + 1);
  publish(clusterEvent(cluster, from));
  if (cluster.deletedAt !== null || facts !== JSON.stringify(clusterFacts(cluster)))
    publish(clusterFactsEvent(cluster));
}

/** What policies may be about of it, whether or not that has changed. */
export function clusterFactsEvent(cluster: Cluster): OutboxEvent {
  const { tenantId, id, name, tags, deletedAt } = cluster;
  const version = Number(cluster.version);
  return {
    topic: 'hosting.cluster.facts-changed',
    tenantId,
    entityId: id,
    entityVersion: version,
    payload: {
      clusterId: id,
      name,
      tags,
      facts: clusterFacts(cluster),
      version,
      isRemoved: deletedAt !== null,
    } satisfies ClusterFactsChanged,
  };
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
