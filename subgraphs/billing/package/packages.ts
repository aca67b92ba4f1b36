import { Plan, planEntitlements } from '#platform/entitlement/plans.js';

/** How often a plan is paid. */
export enum BillingCycle {
  MONTHLY = 'MONTHLY',
  YEARLY = 'YEARLY',
}

export interface PackageData {
  name: string;
  description: string;
  /** In minor units of the currency; null is free of charge or by contract. */
  prices: Readonly<Record<BillingCycle, number>> | null;
  currency: string;
  /** Days without payment for a tenant that never had any. */
  trialDays: number;
}

/** The plans on offer, and what they cost. What they give is the panel's one table of plans. */
export const packages: Readonly<Record<Plan, PackageData>> = {
  [Plan.FREE]: {
    name: 'Free',
    description: 'For a few servers, free of charge.',
    prices: null,
    currency: 'usd',
    trialDays: 0,
  },
  [Plan.PRO]: {
    name: 'Pro',
    description: 'For a fleet: governance, high availability and support with priority.',
    prices: { [BillingCycle.MONTHLY]: 4_900, [BillingCycle.YEARLY]: 49_000 },
    currency: 'usd',
    trialDays: 14,
  },
  [Plan.ENTERPRISE]: {
    name: 'Enterprise',
    description: 'For providers: instances by contract, clients as tenants of their own, and branding.',
    prices: null,
    currency: 'usd',
    trialDays: 0,
  },
};

/** Plans that a tenant may subscribe to by itself, with what Stripe knows them by. */
export interface CataloguePrice {
  plan: Plan;
  cycle: BillingCycle;
  /** In minor units. */
  amount: number;
  currency: string;
  /** The price's `lookup_key` at Stripe. */
  lookupKey: string;
}

export const cataloguePrices: readonly CataloguePrice[] = Object.values(Plan).flatMap((plan) => {
  const { prices, currency } = packages[plan];
  if (!prices) return [];
  return Object.values(BillingCycle).map((cycle) => ({
    plan,
    cycle,
    amount: prices[cycle],
    currency,
    lookupKey: lookupKeyOf(plan, cycle),
  }));
});

/** A price for Enterprise has such a key too, where an operator makes one for a contract. */
export function lookupKeyOf(plan: Plan, cycle: BillingCycle): string {
  return `quazzar_${plan.toLowerCase()}_${cycle.toLowerCase()}`;
}

/** The product that a plan's prices are of. */
export const productOf = (plan: Plan): string => `quazzar_${plan.toLowerCase()}`;

/** What a `lookup_key` stands for; undefined when it is not one of ours. Contracts add a suffix of their own. */
export function readLookupKey(
  key: string | null | undefined,
): { plan: Plan; cycle: BillingCycle } | undefined {
  for (const plan of [Plan.PRO, Plan.ENTERPRISE])
    for (const cycle of Object.values(BillingCycle)) {
      const stem = lookupKeyOf(plan, cycle);
      if (key === stem || key?.startsWith(`${stem}_`)) return { plan, cycle };
    }
  return undefined;
}

/** What a price of one of our products is for, paid so often; undefined for another product or rhythm. */
export function readProduct(
  product: string | undefined,
  recurring: { interval: string; interval_count: number } | null,
): { plan: Plan; cycle: BillingCycle } | undefined {
  const plan = [Plan.PRO, Plan.ENTERPRISE].find((each) => productOf(each) === product);
  if (plan === undefined || recurring?.interval_count !== 1) return undefined;
  if (recurring.interval === 'month') return { plan, cycle: BillingCycle.MONTHLY };
  return recurring.interval === 'year' ? { plan, cycle: BillingCycle.YEARLY } : undefined;
}

export const planRank = (plan: Plan): number => Object.keys(planEntitlements).indexOf(plan);
