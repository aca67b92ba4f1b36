import type { Subscription } from '../store/stored.js';
import { periodAt } from '../time/cycle.js';
import type { World } from '../world.js';
import { endSubscription } from './end.js';
import { billSubscription, collectNow } from './invoice.js';
import { periodLine, rhythmOfAll, withPeriod } from './items.js';

/**
 * Ends a trial: by time, with an invoice that stays a draft for an hour, or early, with one that is due at once. Without
 * a payment method it does what the subscription says.
 */
export function endTrial(world: World, id: string, { isEarly }: { isEarly: boolean }): void {
  const before = world.store.get('subscription', id);
  if (!before) return;
  const now = world.now(before.test_clock);
  const missing = before.trial_settings?.end_behavior.missing_payment_method ?? 'create_invoice';
  if (!hasMethod(world, before) && missing === 'cancel') {
    endSubscription(world, id, { reason: 'cancellation_requested' });
    return;
  }
  const ended = { trial_end: now, ...(isEarly && { billing_cycle_anchor: now }) };
  if (!hasMethod(world, before) && missing === 'pause') {
    const paused = world.store.change('subscription', id, { ...ended, status: 'paused' });
    world.emit('customer.subscription.updated', paused, before);
    world.emit('customer.subscription.paused', paused);
    return;
  }
  const rhythm = rhythmOfAll(before.items.data);
  const period = periodAt(isEarly ? now : before.billing_cycle_anchor, rhythm, now);
  const data = withPeriod(before.items.data, period);
  const active = world.store.change('subscription', id, {
    ...ended,
    status: 'active',
    items: { ...before.items, data },
    ...(before.cancel_at_period_end && { cancel_at: period.end }),
  });
  const invoice = billSubscription(world, active, {
    reason: isEarly ? 'subscription_update' : 'subscription_cycle',
    lines: data.map((item) => periodLine(world, item, period, false)),
    period: { start: before.items.data[0]?.current_period_start ?? now, end: now },
    advances: true,
  });
  const billed = world.store.get('subscription', id) ?? active;
  world.emit('customer.subscription.updated', billed, before);
  if (isEarly) collectNow(world, invoice, 'allow_incomplete');
}

function hasMethod(world: World, { customer, default_payment_method: own }: Subscription): boolean {
  return (
    (own ?? world.store.get('customer', String(customer))?.invoice_settings.default_payment_method) != null
  );
}
