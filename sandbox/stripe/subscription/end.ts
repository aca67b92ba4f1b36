import type { Subscription } from '../store/stored.js';
import type { World } from '../world.js';

export interface Ending {
  reason: NonNullable<NonNullable<Subscription['cancellation_details']>['reason']>;
  comment?: string | null | undefined;
  feedback?: string | null | undefined;
}

/**
 * Ends a subscription for good. Its open invoices stay open and are no longer collected by themselves; drafts and
 * pending prorations of it are left out.
 */
export function endSubscription(
  world: World,
  id: string,
  { reason, comment, feedback }: Ending,
): Subscription {
  const before = world.store.get('subscription', id);
  if (!before) throw new Error(`there is no subscription ${id}`);
  const now = world.now(before.test_clock);
  const details = before.cancellation_details;
  const after = world.store.change('subscription', id, {
    status: 'canceled',
    canceled_at: before.canceled_at ?? now,
    ended_at: now,
    pending_update: null,
    schedule: null,
    cancellation_details: {
      comment: comment ?? details?.comment ?? null,
      feedback:
        (feedback as NonNullable<Subscription['cancellation_details']>['feedback']) ??
        details?.feedback ??
        null,
      feedback_option: null,
      reason: details?.reason ?? reason,
    },
  });
  stopCollecting(world, after);
  endSchedule(world, before, now);
  world.emit('customer.subscription.deleted', after);
  return after;
}

function stopCollecting(world: World, { id }: Subscription): void {
  for (const invoice of world.store.all('invoice')) {
    const isOurs = invoice.parent?.subscription_details?.subscription === id;
    if (!isOurs || (invoice.status !== 'open' && invoice.status !== 'draft') || !invoice.auto_advance)
      continue;
    const stopped = world.store.change('invoice', invoice.id, {
      auto_advance: false,
      automatically_finalizes_at: null,
      next_payment_attempt: null,
    });
    world.emit('invoice.updated', stopped, invoice);
  }
  for (const item of world.store.all('invoiceitem')) {
    const isOurs = item.parent?.subscription_details?.subscription === id;
    if (!isOurs || !item.proration || item.invoice !== null) continue;
    world.emit('invoiceitem.deleted', item);
    world.store.delete('invoiceitem', item.id);
  }
}

function endSchedule(world: World, before: Subscription, now: number): void {
  const schedule =
    typeof before.schedule === 'string'
      ? world.store.get('subscription_schedule', before.schedule)
      : undefined;
  if (!schedule || (schedule.status !== 'active' && schedule.status !== 'not_started')) return;
  const after = world.store.change('subscription_schedule', schedule.id, {
    status: 'canceled',
    canceled_at: now,
    current_phase: null,
  });
  world.emit('subscription_schedule.canceled', after);
}
