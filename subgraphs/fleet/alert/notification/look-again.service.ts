import type { SqlEntityManager } from '#platform/database/database.js';

/** Has all alerts that fire judged anew at the next look, not when they would have been. */
export async function lookAgain(em: SqlEntityManager, tenantId: string, now: Date): Promise<void> {
  await em.execute(
    `update fleet.alert set notify_at = ? where tenant_id = ? and status = 'FIRING' and notify_at > ?`,
    [now, tenantId, now],
  );
}
