import type { Entitlement } from '#platform/entitlement/entitlements.js';
import { freePlan } from '#platform/entitlement/free-plan.js';

import { Plan } from './tenant.entity.js';

/** What each plan gives; null is unlimited. Billing takes this table over with its packages. */
export const planEntitlements: Readonly<Record<Plan, Pick<Entitlement, 'features' | 'limits'>>> = {
  [Plan.FREE]: freePlan,
  [Plan.PRO]: {
    features: ['fleet-management', 'ha-clustering', 'governance', 'priority-support'],
    limits: { instances: 25, users: 50, storageGb: 500 },
  },
  [Plan.ENTERPRISE]: {
    features: ['fleet-management', 'ha-clustering', 'governance', 'priority-support', 'msp', 'white-label'],
    limits: { instances: null, users: null, storageGb: null },
  },
};
