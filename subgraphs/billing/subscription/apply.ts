import { Plan } from '#platform/entitlement/plans.js';
import type { OutboxEvent } from '#platform/outbox/outbox.js';
import { auditEvent } from '#platform/subgraph/audit.js';
import type { NoticeRaised, PlanDecided, SubscriptionChanged } from '#schema/events.js';

import { dueAt, endOfGrace } from '../dunning/dunning.ladder.js';
import { digestOf, isOverdue, type Snapshot } from '../stripe/snapshot.js';
import { PlanSource, planInForce, type BillingSubscription } from './subscription.entity.js';
import { accessOf, SubscriptionStatus } from './subscription.status.js';

const hourMs = 60 * 60 * 1000;
const trialNoticeMs = 3 * 24 * hourMs;
/** How often Stripe is asked without a webhook: what one that was lost told is known by then. */
export const reconcileMs = hourMs;

export type Publish = (event: OutboxEvent) => void;

/**
 * Makes a subscription what Stripe says, and tells what is different. `snapshot` is undefined when the customer never had a
 * subscription. A look at Stripe that was begun before one that was applied already changes nothing. `at` is the tenant's
 * time, where that is another than the machine's.
 */
export function applySnapshot(
  row: BillingSubscription,
  snapshot: Snapshot | undefined,
  { ticket, now, at, publish }: { ticket: number; now: Date; at: Date; publish: Publish },
): void {
  if (ticket <= row.appliedTicket) return;
  row.appliedTicket = ticket;
  row.syncedAt = now;
  row.reconcileAt = new Date(now.getTime() + reconcileMs);
  if (!snapshot) return;
  row.seen = digestOf(snapshot);
  const before = visible(row);
  const wasLive = accessOf[row.status].isLive && row.stripeId !== null;
  const { partnerCoupon: from } = row;
  copy(row, snapshot, at);
  if (row.partnerCoupon !== from) publish(discountChanged(row, from));
  decide(row, at, publish);
  if (wasLive && !accessOf[row.status].isLive) publish(notice(row, { notice: 'SUBSCRIPTION_ENDED' }));
  if (visible(row) !== before) publish(changed(row));
}

function copy(row: BillingSubscription, snapshot: Snapshot, now: Date): void {
  const { status, trialEnd } = snapshot;
  const isDue = snapshot.unpaid.filter(({ dueAt }) => dueAt <= now);
  // By Stripe's clock, which may be ahead of ours.
  const due = isDue.length > 0 ? isDue : snapshot.unpaid;
  const since = isOverdue(status) ? overdueSince(row.pastDueSince, due, now) : null;
  if (since?.getTime() !== row.pastDueSince?.getTime()) {
    row.dunningStep = 0;
    row.dunningAt = since && dueAt(since, 0);
  }
  if (trialEnd?.getTime() !== row.trialEnd?.getTime())
    row.trialNoticeAt = trialEnd && new Date(trialEnd.getTime() - trialNoticeMs);
  if (status !== SubscriptionStatus.TRIALING) row.trialNoticeAt = null;
  Object.assign(row, {
    stripeId: snapshot.stripeId,
    stripeItemId: snapshot.itemId,
    status,
    subscribedPlan: snapshot.plan,
    billingCycle: snapshot.cycle,
    currency: snapshot.currency,
    periodStart: snapshot.periodStart,
    periodEnd: snapshot.periodEnd,
    cancelAt: snapshot.cancelAt,
    endedAt: snapshot.endedAt,
    trialEnd,
    hadTrial: row.hadTrial || trialEnd !== null,
    scheduleId: snapshot.scheduleId,
    scheduledPlan: snapshot.scheduled?.plan ?? null,
    scheduledCycle: snapshot.scheduled?.cycle ?? null,
    contractInstances: snapshot.instances ?? null,
    partnerCoupon: snapshot.partnerCoupons.at(-1) ?? null,
    amountOverdue: due.length === 0 ? null : due.reduce((sum, { amount }) => sum + amount, 0),
    pastDueSince: since,
  });
}

/** Since when the oldest of what is due is. Where an older one was paid meanwhile, grace begins with the next one. */
function overdueSince(known: Date | null, due: Snapshot['unpaid'], now: Date): Date {
  const oldest = due.map(({ dueAt }) => dueAt).toSorted((a, b) => a.getTime() - b.getTime())[0];
  if (!oldest) return known ?? now;
  const since = oldest < now ? oldest : now;
  return known === null || known < since ? since : known;
}

/**
 * What follows for the tenant; every area is told when it is something else than before. Anew it is told whatever was, and
 * nothing that was granted is left of it.
 */
export function decide(
  row: BillingSubscription,
  now: Date,
  publish: Publish,
  { isAnew = false, endsGrantsTo }: { isAnew?: boolean; endsGrantsTo?: number | undefined } = {},
): void {
  const { hasPlan, readOnly } = accessOf[row.status];
  const plan = hasPlan && row.subscribedPlan ? row.subscribedPlan : Plan.FREE;
  const isGraceOver = row.pastDueSince !== null && endOfGrace(row.pastDueSince) <= now;
  const isReadOnly = readOnly === 'AT_ONCE' || (readOnly === 'AFTER_GRACE' && isGraceOver);
  const limit = plan === Plan.ENTERPRISE ? row.contractInstances : null;
  const decision = JSON.stringify([plan, isReadOnly, limit]);
  if (decision === row.lastDecision && !isAnew) return;
  row.lastDecision = decision;
  const keepsPlan = row.plan === plan && !isAnew;
  if (!keepsPlan) {
    row.grantedPlan = null;
    row.planSource = sourceOf(plan);
  }
  row.plan = plan;
  row.isReadOnly = isReadOnly;
  row.planVersion += 1;
  publish({
    topic: 'billing.plan.decided',
    tenantId: row.tenantId,
    entityId: row.tenantId,
    entityVersion: row.planVersion,
    payload: {
      version: row.planVersion,
      // An operator's grant holds until the subscription gives another plan.
      plan: planInForce(row),
      keepsPlan,
      ...(endsGrantsTo === undefined ? {} : { endsGrantsTo }),
      ...(limit === null || row.grantedPlan !== null ? {} : { instanceLimit: limit }),
      isReadOnly,
    } satisfies PlanDecided,
  });
}

/** Who decides on a plan that was not granted. */
export const sourceOf = (plan: Plan): PlanSource =>
  plan === Plan.FREE ? PlanSource.NONE : PlanSource.SUBSCRIPTION;

export function notice(row: BillingSubscription, facts: NoticeRaised): OutboxEvent {
  return {
    topic: 'billing.notice.raised',
    tenantId: row.tenantId,
    entityId: row.tenantId,
    payload: { ...facts },
  };
}

/** For the trail of the tenant whose price it is: seen at Stripe, so told once whoever has set it. */
function discountChanged(
  { tenantId, stripeId, partnerCoupon: to }: BillingSubscription,
  from: string | null,
): OutboxEvent {
  return auditEvent(
    { name: 'changePartnerDiscount', args: {} },
    {
      tenantId,
      target: stripeId ?? tenantId,
      actor: 'svc:billing',
      actorKind: 'service',
      clientAddress: '',
      changes: { from, to },
    },
  );
}

export function changed(row: BillingSubscription): OutboxEvent {
  row.version += 1;
  return {
    topic: 'billing.subscription.changed',
    tenantId: row.tenantId,
    entityId: row.tenantId,
    entityVersion: row.version,
    payload: { plan: planInForce(row), status: row.status } satisfies SubscriptionChanged,
  };
}

/** All that a client can see of it, to tell whether something is different. */
function visible(row: BillingSubscription): string {
  return JSON.stringify([
    planInForce(row),
    row.planSource,
    row.isReadOnly,
    row.status,
    row.billingCycle,
    row.periodEnd,
    row.cancelAt,
    row.endedAt,
    row.trialEnd,
    row.scheduledPlan,
    row.scheduledCycle,
    row.amountOverdue,
    row.pastDueSince,
    row.partnerCoupon,
  ]);
}
