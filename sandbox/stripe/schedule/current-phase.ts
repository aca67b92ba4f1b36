import type { Subscription } from '../store/stored.js';
import type { World } from '../world.js';

/** A change that is made to a subscription itself is one of the phase in which its schedule is. */
export function noteInSchedule(world: World, subscription: Subscription): void {
  const schedule = world.store.get('subscription_schedule', String(subscription.schedule));
  if (schedule?.status !== 'active') return;
  const start = schedule.current_phase?.start_date;
  const phases = schedule.phases.map((phase) =>
    phase.start_date === start
      ? {
          ...phase,
          items: subscription.items.data.map(({ price, quantity }) => ({
            billing_thresholds: null,
            discounts: [],
            metadata: {},
            plan: price.id,
            price: price.id,
            quantity: quantity ?? 1,
            tax_rates: [],
          })),
        }
      : phase,
  );
  const after = world.store.change('subscription_schedule', schedule.id, { phases });
  world.emit('subscription_schedule.updated', after, schedule);
}
