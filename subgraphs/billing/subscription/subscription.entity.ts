import { BigIntType } from '@mikro-orm/core';
import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Directive, Field, ID, Int, ObjectType, registerEnumType } from 'type-graphql';

import { Plan } from '#platform/entitlement/plans.js';
import { DateTime } from '#platform/subgraph/scalars.js';

import { insteadOf, MinorUnits } from '../money/minor-units.js';
import { BillingCycle } from '../package/packages.js';
import { SubscriptionStatus } from './subscription.status.js';

export enum PlanSource {
  NONE = 'NONE',
  SUBSCRIPTION = 'SUBSCRIPTION',
  GRANT = 'GRANT',
  PROVIDER = 'PROVIDER',
}

registerEnumType(PlanSource, {
  name: 'PlanSource',
  description: 'Who decided on the plan that is in force.',
  valuesConfig: {
    NONE: { description: 'Nobody: the plan Free, as everybody has it.' },
    SUBSCRIPTION: { description: 'What the tenant subscribed to.' },
    GRANT: { description: 'An operator of the panel, until the subscription gives something else.' },
    PROVIDER: { description: 'The provider whose client the tenant is.' },
  },
});

const bigint = new BigIntType('number');

/** Not `Subscription`, which is the name of a root type in GraphQL. */
@Entity({ tableName: 'subscription' })
@ObjectType({ description: "A tenant's plan and how it is paid. Each tenant has one." })
@Directive('@key(fields: "tenantId")')
export class BillingSubscription {
  @Field(() => ID, { description: 'The tenant.' })
  @PrimaryKey({ type: 'text' })
  tenantId!: string;

  @Property({ type: bigint })
  version!: number;

  /** Of the tenant, where it was heard of. */
  @Property({ type: 'text', nullable: true })
  name!: string | null;

  @Property({ type: 'text', nullable: true })
  parentTenantId!: string | null;

  /** What the subscription gives; see `planInForce`. */
  @Property({ type: 'text' })
  plan!: Plan;

  /** Grows with each decision that other areas are told. */
  @Property({ type: bigint })
  planVersion!: number;

  @Property({ type: 'text', nullable: true })
  grantedPlan!: Plan | null;

  @Field(() => PlanSource, { description: 'Who decided on the plan.' })
  @Property({ type: 'text' })
  planSource!: PlanSource;

  @Property({ type: 'integer', nullable: true })
  contractInstances!: number | null;

  @Field(() => Boolean, { description: 'Whether nothing can be added until an overdue payment is made.' })
  @Property({ type: 'boolean' })
  isReadOnly!: boolean;

  /** What other areas were told last. */
  @Property({ type: 'text' })
  lastDecision!: string;

  @Property({ type: 'text', nullable: true })
  customerId!: string | null;

  @Property({ type: 'text', nullable: true })
  stripeId!: string | null;

  @Property({ type: 'text', nullable: true })
  stripeItemId!: string | null;

  @Property({ type: 'text', nullable: true })
  scheduleId!: string | null;

  @Field(() => SubscriptionStatus, { description: 'How it stands.' })
  @Property({ type: 'text' })
  status!: SubscriptionStatus;

  @Property({ type: 'text', nullable: true })
  subscribedPlan!: Plan | null;

  @Field(() => BillingCycle, { description: 'How often it is paid.' })
  @Property({ type: 'text' })
  billingCycle!: BillingCycle;

  @Field(() => String, {
    nullable: true,
    description: 'ISO 4217, in lower case; null without a subscription.',
  })
  @Property({ type: 'text', nullable: true })
  currency!: string | null;

  @Field(() => DateTime, { nullable: true, description: 'When the period that is paid began.' })
  @Property({ type: 'datetime', nullable: true })
  periodStart!: Date | null;

  @Field(() => DateTime, { nullable: true, description: 'When the period that is paid ends.' })
  @Property({ type: 'datetime', nullable: true })
  periodEnd!: Date | null;

  @Field(() => DateTime, { nullable: true, description: 'When it ends; null when it goes on.' })
  @Property({ type: 'datetime', nullable: true })
  cancelAt!: Date | null;

  @Field(() => DateTime, { nullable: true, description: 'When it ended.' })
  @Property({ type: 'datetime', nullable: true })
  endedAt!: Date | null;

  @Field(() => DateTime, { nullable: true, description: 'When its trial ends or ended.' })
  @Property({ type: 'datetime', nullable: true })
  trialEnd!: Date | null;

  @Property({ type: 'boolean' })
  hadTrial!: boolean;

  @Property({ type: 'text', nullable: true })
  scheduledPlan!: Plan | null;

  @Property({ type: 'text', nullable: true })
  scheduledCycle!: BillingCycle | null;

  @Property({ type: bigint, nullable: true })
  amountOverdue!: number | null;

  @Property({ type: 'datetime', nullable: true })
  pastDueSince!: Date | null;

  @Property({ type: 'integer' })
  dunningStep!: number;

  @Property({ type: 'datetime', nullable: true })
  dunningAt!: Date | null;

  @Property({ type: 'datetime', nullable: true })
  trialNoticeAt!: Date | null;

  /** Of the partner's tier, as it is at Stripe. */
  @Property({ type: 'text', nullable: true })
  partnerCoupon!: string | null;

  /** The newest look at Stripe that was begun, and the newest that was applied: an older one is not. */
  @Property({ type: bigint })
  ticket!: number;

  @Property({ type: bigint })
  appliedTicket!: number;

  /** A digest of what was applied: a look that sees the same has nothing to do. */
  @Property({ type: 'text', nullable: true })
  seen!: string | null;

  @Property({ type: 'datetime', nullable: true })
  syncedAt!: Date | null;

  @Property({ type: 'datetime', nullable: true })
  reconcileAt!: Date | null;

  /** Since when the tenant is closed: it is to subscribe to nothing. */
  @Property({ type: 'datetime', nullable: true })
  closedAt!: Date | null;

  /** Since when the tenant is suspended. */
  @Property({ type: 'datetime', nullable: true })
  suspendedAt!: Date | null;
}

@ObjectType({ description: 'What takes the place of the plan at the end of the period.' })
export class ScheduledChange {
  @Field(() => Plan, { description: 'The plan.' })
  plan!: Plan;

  @Field(() => BillingCycle, { description: 'How often it is paid.' })
  billingCycle!: BillingCycle;

  @Field(() => DateTime, { description: 'When.' })
  at!: Date;
}

@ObjectType({ description: 'A payment that was not made, to be shown to whoever can make it.' })
export class OverduePayment {
  @Field(() => DateTime, { description: 'Since when it is overdue.' })
  since!: Date;

  @Field(() => Int, {
    nullable: true,
    description: 'Minor units of the currency; null when it is not known.',
    deprecationReason: insteadOf('amountDueExact'),
  })
  amountDue!: number | null;

  @Field(() => MinorUnits, { nullable: true, description: 'How much; null when it is not known.' })
  amountDueExact!: number | null;

  @Field(() => String, { nullable: true, description: 'ISO 4217, in lower case.' })
  currency!: string | null;

  @Field(() => DateTime, { description: 'When nothing can be added any more, unless it is made.' })
  readOnlyAt!: Date;
}

/** How a tenant stands that billing has not heard of. */
export function newSubscription(tenantId: string): BillingSubscription {
  return Object.assign(new BillingSubscription(), {
    tenantId,
    version: 0,
    name: null,
    parentTenantId: null,
    plan: Plan.FREE,
    planVersion: 0,
    grantedPlan: null,
    planSource: PlanSource.NONE,
    contractInstances: null,
    isReadOnly: false,
    lastDecision: '["FREE",false,null]',
    customerId: null,
    stripeId: null,
    stripeItemId: null,
    scheduleId: null,
    status: SubscriptionStatus.ACTIVE,
    subscribedPlan: null,
    billingCycle: BillingCycle.MONTHLY,
    currency: null,
    periodStart: null,
    periodEnd: null,
    cancelAt: null,
    endedAt: null,
    trialEnd: null,
    hadTrial: false,
    scheduledPlan: null,
    scheduledCycle: null,
    amountOverdue: null,
    pastDueSince: null,
    dunningStep: 0,
    dunningAt: null,
    trialNoticeAt: null,
    partnerCoupon: null,
    ticket: 0,
    appliedTicket: 0,
    seen: null,
    syncedAt: null,
    reconcileAt: null,
    closedAt: null,
    suspendedAt: null,
  });
}

/** Whether no provider decides on it. */
export function isOwnPlan({ parentTenantId, planSource }: BillingSubscription): boolean {
  return parentTenantId === null && planSource !== PlanSource.PROVIDER;
}

/** Whether it ends with the period that is paid, and not on some later day, which is a contract's. */
export function endsWithPeriod({ cancelAt, periodEnd }: BillingSubscription): boolean {
  return cancelAt !== null && (periodEnd === null || cancelAt <= periodEnd);
}

/** A grant and a provider's decision go before what was subscribed to. */
export function planInForce({ grantedPlan, plan }: BillingSubscription): Plan {
  return grantedPlan ?? plan;
}
