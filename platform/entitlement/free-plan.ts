import type { Entitlement } from './entitlements.js';

/** What every tenant has before any plan was granted; the one definition, for all areas. */
export const freePlan: Entitlement = {
  plan: 'FREE',
  features: ['fleet-management'],
  limits: { instances: 5, users: 3, storageGb: 10 },
};
