import type { SqlEntityManager } from '#platform/database/database.js';

import type { Placement } from './placement.entity.js';
import { partitionsOf } from './placement.status.js';

/** Forgets clusters that were removed, in which it can neither be nor fail; whether there were any. */
export async function forgetRemoved(
  em: SqlEntityManager,
  { tenantId, id }: Pick<Placement, 'tenantId' | 'id'>,
): Promise<boolean> {
  const forgotten = await em.execute<unknown[]>(
    `delete from hosting.placement_target t using hosting.cluster c
     where t.tenant_id = ? and t.placement_id = ? and c.tenant_id = t.tenant_id and c.id = t.cluster_id
       and c.deleted_at is not null returning 1`,
    [tenantId, id],
  );
  return forgotten.length > 0;
}

/**
 * Has all clusters wait for their partitions, and answers how many of those there are. Clusters that it is in already stay
 * its own, also when they match no more: it is deployed there.
 */
export async function beginTargets(
  em: SqlEntityManager,
  { tenantId, id, partitionPercent }: Placement,
  clusters: readonly { id: string }[],
): Promise<number> {
  await forgetRemoved(em, { tenantId, id });
  const kept = await em.execute<{ id: string }[]>(
    'select cluster_id as id from hosting.placement_target where tenant_id = ? and placement_id = ?',
    [tenantId, id],
  );
  const ids = [...new Set([...kept, ...clusters].map((cluster) => cluster.id))].toSorted();
  const partitions = partitionsOf(ids.length, partitionPercent);
  await em.execute(
    `insert into hosting.placement_target (tenant_id, placement_id, cluster_id, partition, status)
     select ?, ?, t.cluster_id, t.partition, 'WAITING'
     from jsonb_to_recordset(?::jsonb) as t(cluster_id text, partition integer)
     on conflict (tenant_id, placement_id, cluster_id) do update set partition = excluded.partition, status = 'WAITING',
       reason = null, message = null, started_at = null`,
    [tenantId, id, JSON.stringify(ids.map((cluster_id, at) => ({ cluster_id, partition: partitions[at] })))],
  );
  return partitions.at(-1) ?? 1;
}
