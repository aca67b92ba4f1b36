import { Plan } from '#platform/entitlement/plans.js';
import { ApiError } from '#platform/errors.js';

import { BillingCycle, packages, planRank } from '../package/packages.js';
import { endsWithPeriod, isOwnPlan, type BillingSubscription } from '../subscription/subscription.entity.js';
import { accessOf, SubscriptionStatus } from '../subscription/subscription.status.js';

export interface Target {
  plan: Plan;
  cycle: BillingCycle;
}

/** What has to be done to come to a plan; NOTHING when the tenant is there. */
export type Step = 'NOTHING' | 'SUBSCRIBE' | 'UPGRADE' | 'DOWNGRADE' | 'CANCEL' | 'RESUME';

export const isLive = (row: BillingSubscription): boolean =>
  row.stripeId !== null && accessOf[row.status].isLive;

/** Whether there is something to take back. A schedule that says nothing of ours is for other terms, which are the operator's. */
export const isToEndOrShrink = (row: BillingSubscription): boolean =>
  endsWithPeriod(row) || row.scheduledPlan !== null;

/** Stripe collects nothing for it any more: a trial ended without a payment method, or an operator has it so. */
export const isPaused = (row: BillingSubscription): boolean =>
  row.stripeId !== null && row.status === SubscriptionStatus.PAUSED;

/**
 * Throws UNAVAILABLE where the tenant is closed, as far as billing knows: nothing is sold that is ended at once. Who gets here
 * has a token for some seconds more, or has just been let in again.
 */
export function requireOpen({ closedAt }: BillingSubscription): void {
  if (closedAt !== null) throw closed();
}

export function closed(): ApiError {
  return new ApiError('UNAVAILABLE', 'The organization is closed', { retryAfterSeconds: 5 });
}

/** How often it is paid unless told: as now, or every month where nothing lives that is paid. */
export const cycleOf = (row: BillingSubscription): BillingCycle =>
  isLive(row) ? row.billingCycle : BillingCycle.MONTHLY;

/** Throws CONFLICT where a tenant can't come to the plan by itself. */
export function stepTo(row: BillingSubscription, { plan, cycle }: Target): Step {
  requireOwnPlan(row);
  const live = isLive(row);
  const current = live && row.subscribedPlan ? row.subscribedPlan : Plan.FREE;
  if (plan === Plan.FREE) return !live || endsWithPeriod(row) ? 'NOTHING' : 'CANCEL';
  if (plan === current && cycle === row.billingCycle) {
    return isToEndOrShrink(row) || isPaused(row) ? 'RESUME' : 'NOTHING';
  }
  if (!packages[plan].prices) throw byContract(plan);
  if (!live) return 'SUBSCRIBE';
  requirePaid(row);
  const isLonger = plan === current && cycle === BillingCycle.YEARLY;
  return planRank(plan) > planRank(current) || isLonger ? 'UPGRADE' : 'DOWNGRADE';
}

/** Whether a step leads to another plan than the one that is subscribed to, and is not its mere end being taken back. */
export function isOtherPlan(row: BillingSubscription, step: Step, { plan }: Target): boolean {
  return step !== 'NOTHING' && step !== 'RESUME' && !(isLive(row) && plan === row.subscribedPlan);
}

/** Whether a plan is smaller than the one that is subscribed to. The same one paid otherwise allows as much. */
export const isSmallerPlan = ({ subscribedPlan }: BillingSubscription, plan: Plan): boolean =>
  planRank(plan) < planRank(subscribedPlan ?? Plan.FREE);

export function byContract(plan: Plan): ApiError {
  return new ApiError('CONFLICT', `The plan ${plan.toLowerCase()} is made by contract`, {
    reason: 'BY_CONTRACT',
  });
}

/** What an MSP client has is its provider's to decide. */
export function requireOwnPlan(row: BillingSubscription): void {
  if (isOwnPlan(row)) return;
  throw new ApiError('CONFLICT', 'Its provider decides on its plan and limit', {
    reason: 'MANAGED_BY_PROVIDER',
  });
}

function requirePaid({ status }: BillingSubscription): void {
  if (status === SubscriptionStatus.PAUSED) {
    throw new ApiError('CONFLICT', 'The subscription is paused: resumeSubscription has it go on', {
      reason: 'SUBSCRIPTION_PAUSED',
    });
  }
  if (status === SubscriptionStatus.ACTIVE || status === SubscriptionStatus.TRIALING) return;
  throw new ApiError('CONFLICT', 'A payment is overdue: the plan can be changed once it is made', {
    reason: 'PAYMENT_OVERDUE',
  });
}
