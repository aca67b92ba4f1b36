import { registerEnumType } from 'type-graphql';

import type { Entitlement } from './entitlement.js';

export enum Plan {
  FREE = 'FREE',
  PRO = 'PRO',
  ENTERPRISE = 'ENTERPRISE',
}

registerEnumType(Plan, {
  name: 'Plan',
  description: 'What a tenant has subscribed to; decides its limits and features.',
  valuesConfig: {
    FREE: { description: 'A few instances and users, without payment.' },
    PRO: { description: 'More of both; governance and high availability as well.' },
    ENTERPRISE: { description: 'As many as there are; MSP clients and branding as well.' },
  },
});

export type PlanEntitlement = Pick<Entitlement, 'features' | 'limits'>;

/** What each plan gives, smallest first; null is unlimited. The one definition, for all areas. */
export const planEntitlements: Readonly<Record<Plan, PlanEntitlement>> = {
  [Plan.FREE]: {
    features: ['fleet-management'],
    limits: { instances: 3, users: 3, storageGb: 10 },
  },
  [Plan.PRO]: {
    features: ['fleet-management', 'ha-clustering', 'governance', 'priority-support'],
    limits: { instances: 25, users: 50, storageGb: 500 },
  },
  [Plan.ENTERPRISE]: {
    features: ['fleet-management', 'ha-clustering', 'governance', 'priority-support', 'msp', 'white-label'],
    limits: { instances: null, users: null, storageGb: null },
  },
};

/** Smallest first. */
export const plans = Object.keys(planEntitlements) as Plan[];

/** The smallest plan above this one under which so much fits; undefined when there is none. */
export function planWithRoom(above: string, limitName: string, wanted: number): Plan | undefined {
  return plans.slice(plans.indexOf(above as Plan) + 1).find((plan) => {
    const limit = planEntitlements[plan].limits[limitName];
    return limit === null || (limit !== undefined && limit >= wanted);
  });
}
