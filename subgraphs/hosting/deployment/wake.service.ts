import type { SqlEntityManager } from '#platform/database/database.js';

/** What waits for a cluster need not wait any longer: it can be asked again. */
export async function wakeDeployments(
  em: SqlEntityManager,
  { tenantId, clusterId, now }: { tenantId: string; clusterId: string; now: Date },
): Promise<void> {
  await em.execute(
    `update hosting.deployment set due_at = ?, failures = 0
     where tenant_id = ? and cluster_id = ? and due_at is not null and failures > 0`,
    [now, tenantId, clusterId],
  );
}
