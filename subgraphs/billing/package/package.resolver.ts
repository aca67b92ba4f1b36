import { Authorized, Query, Resolver } from 'type-graphql';

import { Plan, planEntitlements, plans } from '#platform/entitlement/plans.js';

import { Package } from './package.js';
import { BillingCycle, packages } from './packages.js';
import { PaymentMode } from './payment-mode.js';

@Resolver(() => Package)
export class PackageResolver {
  constructor(private readonly mode: PaymentMode) {}

  @Authorized('billing.package.read')
  @Query(() => PaymentMode, {
    description: 'Whether plans can be bought in this panel, and whether money moves then.',
  })
  paymentMode(): PaymentMode {
    return this.mode;
  }

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
