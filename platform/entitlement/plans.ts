/** What a plan lets a tenant use; null is unlimited. */
export interface PlanEntitlement {
  features: readonly string[];
  limits: Readonly<Record<'instances' | 'users' | 'storageGb', number | null>>;
}

/** What each plan gives, by its word. The one definition: for who grants plans and who offers them. */
export const planEntitlements: Readonly<Record<'FREE' | 'PRO' | 'ENTERPRISE', PlanEntitlement>> = {
  FREE: {
    features: ['fleet-management'],
    limits: { instances: 5, users: 3, storageGb: 10 },
  },
  PRO: {
    features: ['fleet-management', 'ha-clustering', 'governance', 'priority-support'],
    limits: { instances: 25, users: 50, storageGb: 500 },
  },
  ENTERPRISE: {
    features: ['fleet-management', 'ha-clustering', 'governance', 'priority-support', 'msp', 'white-label'],
    limits: { instances: null, users: null, storageGb: null },
  },
};
