import type { Entitlement } from './entitlements.js';
import { planEntitlements } from './plans.js';

/** What every tenant has before any plan was granted. */
export const freePlan: Entitlement = { plan: 'FREE', ...planEntitlements.FREE };
