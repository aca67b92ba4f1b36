import { Authorized, Ctx, FieldResolver, Int, Query, Resolver, Root, Subscription } from 'type-graphql';

import type { Entitlements } from '#platform/entitlement/entitlements.js';
import { Plan, planEntitlements } from '#platform/entitlement/plans.js';
import type { SubgraphContext } from '#platform/subgraph/build.js';
import { DateTime } from '#platform/subgraph/scalars.js';
import { eventSource } from '#platform/subgraph/subscription.js';

import { endOfGrace } from '../dunning/dunning.ladder.js';
import { asInt } from '../money/minor-units.js';
import { PaymentMode } from '../package/payment-mode.js';
import { percentOf } from '../partner/partner-tiers.js';
import {
  BillingSubscription,
  endsWithPeriod,
  isOwnPlan,
  OverduePayment,
  planInForce,
  ScheduledChange,
} from './subscription.entity.js';
import { accessOf } from './subscription.status.js';
import { ownSubscription, providerName } from './subscription.store.service.js';

const permission = 'billing.subscription.read';

@Resolver(() => BillingSubscription)
export class SubscriptionResolver {
  constructor(
    private readonly entitlements: Entitlements,
    private readonly mode: PaymentMode,
  ) {}

  @Authorized(permission)
  @Query(() => BillingSubscription, {
    name: 'subscription',
    description: "The tenant's plan and how it is paid.",
  })
  async readOwn(@Ctx() { operation }: SubgraphContext): Promise<BillingSubscription> {
    return ownSubscription(operation);
  }

  @Authorized(permission)
  @Subscription(() => BillingSubscription, {
    subscribe: eventSource(permission, () => ({ topics: ['billing.subscription.changed'] })),
    description: "The tenant's plan, or how it is paid, is different. Resumes as `instanceChanged` does.",
  })
  async subscriptionChanged(@Ctx() { operation }: SubgraphContext): Promise<BillingSubscription> {
    return ownSubscription(operation);
  }

  @FieldResolver(() => Plan, { description: 'The plan in force.' })
  plan(@Root() row: BillingSubscription): Plan {
    return planInForce(row);
  }

  @FieldResolver(() => Int, {
    nullable: true,
    description: 'How many instances it allows; null for any number.',
  })
  async instanceLimit(
    @Root() row: BillingSubscription,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<number | null> {
    const granted = await this.entitlements.of(operation);
    const plan = planInForce(row);
    // A change of this moment is in force here before the areas have told each other of it.
    if (granted.plan !== plan) return planEntitlements[plan].limits['instances'] ?? null;
    return granted.limits['instances'] === undefined ? 0 : granted.limits['instances'];
  }

  @FieldResolver(() => [String], { description: 'What the plan includes.' })
  features(@Root() row: BillingSubscription): string[] {
    return [...planEntitlements[planInForce(row)].features];
  }

  @FieldResolver(() => Boolean, {
    description:
      'Whether there is a subscription at the payment provider that has not ended, whoever decided on the plan: ' +
      '`changeSubscription` and `cancelSubscription` are for it, `createCheckoutSession` for who has none.',
  })
  isSubscribed(@Root() row: BillingSubscription): boolean {
    return row.stripeId !== null && accessOf[row.status].isLive;
  }

  @FieldResolver(() => Boolean, {
    description:
      'Whether `createCheckoutSession` may begin with a trial: none was used, nothing is subscribed to, and the tenant can ' +
      'buy.',
  })
  isTrialAvailable(@Root() row: BillingSubscription): boolean {
    const canBuy = this.mode !== PaymentMode.NONE && this.canManage(row);
    return canBuy && !row.hadTrial && !this.isSubscribed(row);
  }

  @FieldResolver(() => Boolean, {
    description:
      'Whether the tenant decides on its plan itself: for the client of a provider that one does, and changes are CONFLICT ' +
      '(MANAGED_BY_PROVIDER).',
  })
  canManage(@Root() row: BillingSubscription): boolean {
    return isOwnPlan(row);
  }

  @FieldResolver(() => String, {
    nullable: true,
    description:
      'The name of the provider whose client the tenant is: whom to ask for another plan. Null for others.',
  })
  async providerName(
    @Root() row: BillingSubscription,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<string | null> {
    return row.parentTenantId === null ? null : providerName(operation);
  }

  @FieldResolver(() => Boolean, {
    description:
      'Whether the payment provider knows the tenant: `createPortalSession` leads to its cards and invoices.',
  })
  isCustomer(@Root() row: BillingSubscription): boolean {
    return row.customerId !== null;
  }

  @FieldResolver(() => DateTime, {
    nullable: true,
    description: 'When the next invoice is made; null when there is none to come.',
  })
  nextInvoiceDate(@Root() row: BillingSubscription): Date | null {
    return accessOf[row.status].isLive && !endsWithPeriod(row) ? row.periodEnd : null;
  }

  @FieldResolver(() => ScheduledChange, {
    nullable: true,
    description: 'What takes the place of the plan when the period ends; null when it stays.',
  })
  scheduledChange(@Root() row: BillingSubscription): ScheduledChange | null {
    if (row.cancelAt) return { plan: Plan.FREE, billingCycle: row.billingCycle, at: row.cancelAt };
    const { scheduledPlan: plan, scheduledCycle: billingCycle, periodEnd: at } = row;
    return plan && billingCycle && at ? { plan, billingCycle, at } : null;
  }

  @FieldResolver(() => Int, {
    description:
      "How much less it costs by the tier of the tenant's partner, in percent, from the next invoice on; 0 for nothing.",
  })
  partnerDiscountPercent(@Root() row: BillingSubscription): number {
    return accessOf[row.status].isLive ? percentOf(row.partnerCoupon) : 0;
  }

  @FieldResolver(() => OverduePayment, {
    nullable: true,
    description: 'A payment that is overdue, for a banner; null when all is paid.',
  })
  overduePayment(@Root() row: BillingSubscription): OverduePayment | null {
    const { pastDueSince: since, amountOverdue: exact, currency } = row;
    if (!since) return null;
    const amountDue = exact === null ? null : asInt(exact);
    return { since, amountDue, amountDueExact: exact, currency, readOnlyAt: endOfGrace(since) };
  }
}
