import type { SqlEntityManager } from '#platform/database/database.js';

/**
 * In SQL, whether the provider may have it: not what is deleted, nor what failed and is looked for no more because the
 * provider never had it or has it no more.
 */
export const mayBeThere = `deleted_at is null and not (phase = 'FAILED' and due_at is null
  and (provider_id is null or reason = 'SERVER_GONE'))`;

/** Servers of a tenant at a provider that are not deleted. */
export async function liveCount(em: SqlEntityManager, tenantId: string, provider: string): Promise<number> {
  const [row] = await em.execute<{ count: number }[]>(
    `select count(*)::int as count from hosting.server where tenant_id = ? and provider = ? and ${mayBeThere}`,
    [tenantId, provider],
  );
  return row!.count;
}

export interface MadeServer {
  id: string;
  /** Null while nobody knows whether a call has made it. */
  providerId: string | null;
}

/** Those for which the provider was called, the newest first. */
export async function madeServers(
  em: SqlEntityManager,
  tenantId: string,
  provider: string,
  most: number,
): Promise<MadeServer[]> {
  return em.execute<MadeServer[]>(
    `select id, provider_id as "providerId" from hosting.server
     where tenant_id = ? and provider = ? and create_calls > 0 and ${mayBeThere} order by id desc limit ?`,
    [tenantId, provider, most],
  );
}
