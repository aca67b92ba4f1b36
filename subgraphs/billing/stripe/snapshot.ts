import { createHash } from 'node:crypto';

import type Stripe from 'stripe';

import type { Plan } from '#platform/entitlement/plans.js';

import { readLookupKey, type BillingCycle } from '../package/packages.js';
import { accessOf, readStatus, SubscriptionStatus } from '../subscription/subscription.status.js';
import { partnerCouponsOf } from './partner-discount.js';
import { pausedBy } from './pause.js';
import { isOurs, soldOf } from './sold.js';

/** A customer's subscription as Stripe has it: all that billing goes by. */
export interface Snapshot {
  stripeId: string;
  itemId: string;
  status: SubscriptionStatus;
  plan: Plan;
  cycle: BillingCycle;
  currency: string;
  periodStart: Date;
  periodEnd: Date;
  cancelAt: Date | null;
  endedAt: Date | null;
  trialEnd: Date | null;
  scheduleId: string | null;
  scheduled: { plan: Plan; cycle: BillingCycle } | null;
  /** By contract; undefined leaves it to the plan. */
  instances: number | undefined;
  /** Coupons of partners' tiers that are on it. */
  partnerCoupons: string[];
  /** Its invoices that are not paid, where a payment is overdue; some may be due later. */
  unpaid: { dueAt: Date; amount: number }[];
  /** Others of ours that live beside it. */
  surplus: string[];
  /** Undefined while its invoices are collected; HERE where that was paused for a suspension, and not by somebody there. */
  paused?: 'HERE' | 'THERE' | undefined;
}

/** The newest of a customer: most end, and what an account sells beside plans counts too. */
const mostSubscriptions = 100;

/** Asks for a customer's subscription: the newest that lives, or else the last. Undefined when there never was one. */
export async function fetchSnapshot(
  stripe: Stripe,
  customer: string,
  options?: Stripe.RequestOptions,
): Promise<Snapshot | undefined> {
  const { data } = await stripe.subscriptions.list(
    {
      customer,
      status: 'all',
      limit: mostSubscriptions,
      expand: ['data.schedule', 'data.discounts'],
    },
    options,
  );
  const [current, ...others] = data
    .filter(isOurs)
    .toSorted((a, b) => rank(a) - rank(b) || b.created - a.created);
  if (!current) return undefined;
  return snapshotOf(current, {
    surplus: others.filter((each) => rank(each) === 0).map(({ id }) => id),
    unpaid: isOverdue(readStatus(current.status)) ? await fetchUnpaid(stripe, current, options) : [],
  });
}

export const isOverdue = (status: SubscriptionStatus): boolean =>
  status === SubscriptionStatus.PAST_DUE || status === SubscriptionStatus.UNPAID;

/** As many as a monthly one gathers in eight years. */
const mostUnpaid = 100;

/** Of a subscription that goes on while a payment is overdue there may be more than one. */
async function fetchUnpaid(
  stripe: Stripe,
  { id: subscription }: Stripe.Subscription,
  options?: Stripe.RequestOptions,
): Promise<Snapshot['unpaid']> {
  const { data } = await stripe.invoices.list({ subscription, status: 'open', limit: mostUnpaid }, options);
  return data.map((invoice) => ({
    // One that is sent has a time in which it is to be paid; one that a card pays is due as it is made.
    dueAt: dateOf(invoice.due_date ?? invoice.created),
    amount: invoice.amount_remaining,
  }));
}

/** Those of ours that live. */
export async function liveSubscriptions(stripe: Stripe, customer: string): Promise<Stripe.Subscription[]> {
  const { data } = await stripe.subscriptions.list({ customer, limit: mostSubscriptions });
  return data.filter((each) => isOurs(each) && rank(each) === 0);
}

/** Grows when what follows from a snapshot becomes another: all are applied once more, each at its next look. */
const appliedAs = 2;

/** The same for two that say the same. */
export function digestOf(snapshot: Snapshot): string {
  return createHash('sha256')
    .update(JSON.stringify([appliedAs, snapshot]))
    .digest('base64url');
}

function rank({ status }: Stripe.Subscription): number {
  if (accessOf[readStatus(status)].isLive) return 0;
  return status === 'incomplete' ? 1 : 2;
}

function snapshotOf(
  subscription: Stripe.Subscription,
  beside: Pick<Snapshot, 'surplus' | 'unpaid'>,
): Snapshot {
  const sold = soldOf(subscription);
  if (!sold) throw new Error(`${subscription.id} is for no plan of ours`);
  const { item } = sold;
  const { schedule } = subscription;
  const cancelAt =
    subscription.cancel_at ?? (subscription.cancel_at_period_end ? item.current_period_end : null);
  return {
    stripeId: subscription.id,
    itemId: item.id,
    status: readStatus(subscription.status),
    plan: sold.plan,
    cycle: sold.cycle,
    currency: subscription.currency,
    periodStart: dateOf(item.current_period_start),
    periodEnd: dateOf(item.current_period_end),
    cancelAt: optional(subscription.ended_at === null ? cancelAt : null),
    endedAt: optional(subscription.ended_at),
    trialEnd: optional(subscription.trial_end),
    scheduleId: typeof schedule === 'string' ? schedule : (schedule?.id ?? null),
    scheduled: scheduledOf(schedule, item.current_period_end),
    instances: contractOf(subscription.metadata),
    partnerCoupons: partnerCouponsOf(subscription),
    ...beside,
    paused: pausedBy(subscription),
  };
}

function scheduledOf(
  schedule: Stripe.Subscription['schedule'],
  after: number,
): { plan: Plan; cycle: BillingCycle } | null {
  if (schedule === null || typeof schedule !== 'object') return null;
  const next = schedule.phases.find(({ start_date: start }) => start >= after);
  const price = next?.items[0]?.price;
  // A schedule's prices are ids; what ours asks for is in the phase's metadata.
  if (price === undefined) return null;
  return readLookupKey(next?.metadata?.['lookup_key']) ?? null;
}

function contractOf({ instances }: Stripe.Metadata): number | undefined {
  if (instances === undefined || !/^\d{1,9}$/.test(instances)) return undefined;
  return Number(instances);
}

const dateOf = (seconds: number): Date => new Date(seconds * 1000);
const optional = (seconds: number | null): Date | null => (seconds === null ? null : dateOf(seconds));
