import type { SubscriptionSchedule } from '../store/stored.js';
import type { World } from '../world.js';

/** When time has something to do for a schedule. */
export function scheduleMoment(schedule: SubscriptionSchedule): number | undefined {
  if (schedule.status === 'not_started') return schedule.phases[0]?.start_date;
  return schedule.status === 'active' ? schedule.current_phase?.end_date : undefined;
}

export function advanceSchedule(_world: World, _id: string): void {}
