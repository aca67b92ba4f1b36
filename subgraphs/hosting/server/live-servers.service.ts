import type { SqlEntityManager } from '#platform/database/database.js';

/** Servers of a tenant at a provider that are not deleted. */
export async function liveCount(em: SqlEntityManager, tenantId: string, provider: string): Promise<number> {
  const [row] = await em.execute<{ count: number }[]>(
    `select count(*)::int as count from hosting.server
     where tenant_id = ? and provider = ? and deleted_at is null and not (phase = 'FAILED' and provider_id is null)`,
    [tenantId, provider],
  );
  return row!.count;
}
