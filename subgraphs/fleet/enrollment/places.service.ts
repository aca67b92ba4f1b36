import type { SqlEntityManager } from '#platform/database/database.js';

/** How many places under the plan's limit are taken: by instances, and by servers whose node has yet to come. */
export async function placesTaken(em: SqlEntityManager, tenantId: string, now: Date): Promise<number> {
  const [row] = await em.execute<{ taken: number }[]>(
    `select (select count(*) from fleet.instance where tenant_id = ?)::int
       + (select count(*) from fleet.enrollment_token where tenant_id = ? and server_id is not null and uses = 0
           and revoked_at is null and expires_at > ?)::int as taken`,
    [tenantId, tenantId, now],
  );
  return row!.taken;
}
