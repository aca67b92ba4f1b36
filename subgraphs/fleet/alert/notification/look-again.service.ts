import type { SqlEntityManager } from '#platform/database/database.js';

/**
 * Has all alerts that fire judged anew at the next look: those that no channel wanted are wanted now, perhaps. It waits
 * for a look that is under way, which may know the channels as they were; in the order in which others lock them.
 */
export async function lookAgain(em: SqlEntityManager, tenantId: string, now: Date): Promise<void> {
  await em.execute(
    `update fleet.alert a set notify_at = ?
     from (
       select id from fleet.alert where tenant_id = ? and status = 'FIRING' order by instance_id for no key update
     ) firing
     where a.tenant_id = ? and a.id = firing.id`,
    [now, tenantId, tenantId],
  );
}
