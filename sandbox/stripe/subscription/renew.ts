import { periodAt } from '../time/cycle.js';
import type { World } from '../world.js';
import { billSubscription } from './invoice.js';
import { periodLine, rhythmOfAll, withPeriod } from './items.js';

/** The next period begins. Its invoice is a draft for an hour, and stays one while the subscription is unpaid. */
export function renewSubscription(world: World, id: string): void {
  const before = world.store.get('subscription', id);
  const [first] = before?.items.data ?? [];
  if (!before || !first) return;
  const now = world.now(before.test_clock);
  const period = periodAt(before.billing_cycle_anchor, rhythmOfAll(before.items.data), now);
  const data = withPeriod(before.items.data, period);
  const renewed = world.store.change('subscription', id, { items: { ...before.items, data } });
  billSubscription(world, renewed, {
    reason: 'subscription_cycle',
    lines: data.map((item) => periodLine(world, item, period, false)),
    period: { start: first.current_period_start, end: first.current_period_end },
    advances: before.status !== 'unpaid',
  });
  world.emit('customer.subscription.updated', world.store.get('subscription', id) ?? renewed, before);
}
