import type { Entitlement } from './entitlement.js';
import { Plan, planEntitlements } from './plans.js';

/** What every tenant has before any plan was granted. */
export const freePlan: Entitlement = { plan: Plan.FREE, ...planEntitlements[Plan.FREE], isReadOnly: false };
