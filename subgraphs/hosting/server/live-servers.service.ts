import type { SqlEntityManager } from '#platform/database/database.js';

/** The reason of those that were left at the provider with their account. Should it be connected again, they stay as they are. */
export const leftBehind = 'LEFT_BEHIND';

/**
 * In SQL, whether the provider may have it: not what is deleted or left behind, nor what failed and is looked for no more
 * because the provider never had it or has it no more.
 */
export const mayBeThere = `deleted_at is null and reason is distinct from '${leftBehind}' and not (phase = 'FAILED' and due_at is null
  and (provider_id is null or reason = 'SERVER_GONE'))`;

/** Servers of a tenant at a provider that are not deleted. */
export async function liveIds(em: SqlEntityManager, tenantId: string, provider: string): Promise<string[]> {
  const rows = await em.execute<{ id: string }[]>(
    `select id from hosting.server where tenant_id = ? and provider = ? and ${mayBeThere}`,
    [tenantId, provider],
  );
  return rows.map(({ id }) => id);
}

export interface MadeServer {
  id: string;
  /** Null while nobody knows whether a call has made it. */
  providerId: string | null;
  /** Whether it was let go of with the token that showed it. */
  isLeft: boolean;
}

/** Those for which the provider was called, the newest first. */
export async function madeServers(
  em: SqlEntityManager,
  tenantId: string,
  provider: string,
  most: number,
): Promise<MadeServer[]> {
  return em.execute<MadeServer[]>(
    `select id, provider_id as "providerId", left_behind as "isLeft" from hosting.server
     where tenant_id = ? and provider = ? and create_calls > 0 and ${mayBeThere} order by id desc limit ?`,
    [tenantId, provider, most],
  );
}

/**
 * Keeps which servers belong to the token that is connected: those that it shows do, and where it `leaves` others these do
 * not, also when they were asked for a moment ago.
 */
export async function keepLeft(
  em: SqlEntityManager,
  { tenantId, provider }: { tenantId: string; provider: string },
  shown: readonly string[],
  leaves: boolean,
): Promise<void> {
  await em.execute(
    `update hosting.server s set left_behind = not s.left_behind where s.tenant_id = ? and s.id in (
       select o.id from hosting.server o
       where o.tenant_id = ? and o.provider = ? and o.create_calls > 0 and o.deleted_at is null
         and case when o.id in (select jsonb_array_elements_text(?::jsonb)) then o.left_behind
           else ? and not o.left_behind end
       order by o.id for update)`,
    [tenantId, tenantId, provider, JSON.stringify(shown), leaves],
  );
}
