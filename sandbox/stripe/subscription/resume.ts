import { invalid } from '../errors.js';
import type { Subscription } from '../store/stored.js';
import { periodAt } from '../time/cycle.js';
import type { World } from '../world.js';
import { billSubscription, collectNow } from './invoice.js';
import { periodLine, rhythmOfAll, withPeriod } from './items.js';

/**
 * Takes up a paused subscription again, by Stripe's default `resume_on_payment_attempt`: its invoice is final at once, and is
 * not charged before somebody pays it. Then it is active, or past due where that fails.
 */
export function resumeSubscription(
  world: World,
  before: Subscription,
  anchor: 'now' | 'unchanged',
): Subscription {
  if (before.status !== 'paused')
    throw invalid(
      `Subscription ${before.id} is not paused: only paused subscriptions can be resumed.`,
      undefined,
      'status_transition_invalid',
    );
  const now = world.now(before.test_clock);
  const from = anchor === 'now' ? now : before.billing_cycle_anchor;
  const period = periodAt(from, rhythmOfAll(before.items.data), now);
  const data = withPeriod(before.items.data, period);
  const changed = world.store.change('subscription', before.id, {
    billing_cycle_anchor: from,
    items: { ...before.items, data },
  });
  const invoice = billSubscription(world, changed, {
    reason: 'subscription_update',
    lines: data.map((item) => periodLine(world, item, period, false)),
    period: { start: now, end: now },
    advances: true,
  });
  collectNow(world, invoice, 'default_incomplete');
  return world.store.get('subscription', before.id) ?? changed;
}
