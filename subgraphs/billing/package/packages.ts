import { planEntitlements } from '#platform/entitlement/plans.js';

import type { Package } from './package.js';

/** The smallest first. */
export const packages: readonly Package[] = Object.entries(planEntitlements).map(
  ([plan, { features, limits }]) => ({
    id: plan.toLowerCase(),
    name: plan[0] + plan.slice(1).toLowerCase(),
    features,
    instanceLimit: limits.instances,
    userLimit: limits.users,
    storageGbLimit: limits.storageGb,
  }),
);
