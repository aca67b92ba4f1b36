import { invalid } from '#platform/errors.js';

import type { BillingSubscription } from '../subscription/subscription.entity.js';
import { timeOf, type TestClock } from './test-clock.entity.js';

const hourMs = 60 * 60 * 1000;
const dayMs = 24 * hourMs;
const furthestMs = 2 * 366 * dayMs;
const furthestAheadMs = 10 * 366 * dayMs;
/** Stripe refuses to be advanced by more than two periods at once; a month is the shortest that is sold. */
const longestStepMs = 31 * dayMs;
/** A renewal's invoice is a draft for an hour before it is charged. */
const renewedMs = 2 * hourMs;

/** Throws VALIDATION_FAILED unless a clock may be told to go there. */
export function requireReachable(clock: TestClock, to: Date, now: Date): void {
  const from = timeOf(clock, now);
  if (to <= from) {
    throw invalid(
      'input.to',
      `It is ${from.toISOString()} for the tenant already, and its time does not go back`,
    );
  }
  if (to.getTime() - from.getTime() > furthestMs)
    throw invalid('input.to', 'Time can be advanced by two years at most in one call');
  if (to.getTime() - now.getTime() > furthestAheadMs)
    throw invalid('input.to', "A test clock can be at most ten years ahead of the machine's");
}

/** What a subscription has coming. */
type Due = Pick<BillingSubscription, 'dunningAt' | 'trialNoticeAt' | 'periodEnd'>;

/**
 * Where the next step of a way ends: right where something is due, so that what follows from it happens before
 * what is due later.
 */
export function nextStop(clock: TestClock, wayTo: Date, due: Due, now: Date): Date {
  const here = timeOf(clock, now).getTime();
  // Stripe's clock stands still between two ways.
  const from = clock.stripeClockId === null ? here : Math.min(here, clock.stripeTime?.getTime() ?? here);
  const { dunningAt, trialNoticeAt, periodEnd } = due;
  const renewedAt = periodEnd && new Date(periodEnd.getTime() + renewedMs);
  const stops = [dunningAt, trialNoticeAt, renewedAt]
    .filter((at) => at !== null)
    .map((at) => at.getTime())
    .filter((at) => at > from);
  const furthest = clock.stripeClockId === null ? Infinity : from + longestStepMs;
  return new Date(Math.min(wayTo.getTime(), furthest, ...stops));
}
