import type { SqlEntityManager } from '#platform/database/database.js';
import { planEntitlements, type Plan } from '#platform/entitlement/plans.js';
import { ApiError } from '#platform/errors.js';

/** Something of which more is used than a plan allows. */
export interface OverLimit {
  limit: 'instances' | 'users' | 'storageGb';
  used: number;
  allowed: number;
}

const words = { instances: 'instances', users: 'users', storageGb: 'GB of storage' };

/** What a tenant uses more of than the plan allows, by what the owners of these things told last. */
export async function overLimits(em: SqlEntityManager, tenantId: string, plan: Plan): Promise<OverLimit[]> {
  const levels = await em.execute<{ metric: OverLimit['limit']; used: number }[]>(
    'select metric, used from billing.usage_level where tenant_id = ? order by metric',
    [tenantId],
  );
  return levels.flatMap(({ metric, used }) => {
    const allowed = planEntitlements[plan].limits[metric];
    return allowed === null || allowed === undefined || used <= allowed
      ? []
      : [{ limit: metric, used, allowed }];
  });
}

/** Refuses a plan that is too small for what is in use. */
export function tooSmall(plan: Plan, over: readonly OverLimit[]): ApiError {
  const told = over.map(({ limit, used, allowed }) => `${allowed} ${words[limit]}, and ${used} are in use`);
  return new ApiError('CONFLICT', `The plan ${plan.toLowerCase()} allows ${told.join('; ')}`, {
    reason: 'LIMITS_EXCEEDED',
    details: Object.fromEntries(over.map(({ limit, used, allowed }) => [limit, { used, limit: allowed }])),
  });
}
