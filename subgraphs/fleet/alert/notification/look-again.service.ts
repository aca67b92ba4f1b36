import type { SqlEntityManager } from '#platform/database/database.js';

/** Has all alerts that fire and wait, or that channels were told of, judged anew at the next look. */
export async function lookAgain(em: SqlEntityManager, tenantId: string, now: Date): Promise<void> {
  await em.execute(
    `update fleet.alert set notify_at = ?
     where tenant_id = ? and status = 'FIRING' and (notify_at > ? or (notify_at is null and told <> '{}'))`,
    [now, tenantId, now],
  );
}
