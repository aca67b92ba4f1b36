import type { Operation } from '#platform/subgraph/operation.js';

/** GB, with one decimal. */
export async function storageUsed({ em, tenantId }: Pick<Operation, 'em' | 'tenantId'>): Promise<number> {
  const [row] = await em.execute<{ used: number }[]>(
    `select coalesce(round(sum(storage_used_gb)::numeric, 1), 0)::float8 as used
     from fleet.instance where tenant_id = ?`,
    [tenantId],
  );
  return row?.used ?? 0;
}
