import { Authorized, Query, Resolver } from 'type-graphql';

import { Plan, planEntitlements, plans } from '#platform/entitlement/plans.js';

import { Package } from './package.js';
import { BillingCycle, packages } from './packages.js';

@Resolver(() => Package)
export class PackageResolver {
  @Authorized('billing.package.read')
  @Query(() => [Package], {
    name: 'packages',
    description: 'The plans on offer and what they cost, smallest first.',
  })
  listPackages(): Package[] {
    return plans.map(packageOf);
  }
}

function packageOf(plan: Plan): Package {
  const { name, description, prices, currency, trialDays } = packages[plan];
  const { features, limits } = planEntitlements[plan];
  const price = (cycle: BillingCycle) => (plan === Plan.FREE ? 0 : (prices?.[cycle] ?? null));
  return {
    id: plan.toLowerCase(),
    plan,
    name,
    description,
    priceMonthly: price(BillingCycle.MONTHLY),
    priceYearly: price(BillingCycle.YEARLY),
    currency,
    trialDays,
    instanceLimit: limits['instances'] ?? null,
    userLimit: limits['users'] ?? null,
    storageGbLimit: limits['storageGb'] ?? null,
    features: [...features],
  };
}
