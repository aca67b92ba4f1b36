import type { BillingNotice } from '#schema/events.js';

const dayMs = 24 * 60 * 60 * 1000;

/** One step of what is done about a payment that is overdue. */
export interface DunningStep {
  afterDays: number;
  notice: BillingNotice;
  /** From this step on nothing can be added. */
  isReadOnly?: true;
}

/** How to read this table: so many days after a payment failed, the step is taken, unless it was made meanwhile. */
export const dunningLadder: readonly DunningStep[] = [
  { afterDays: 0, notice: 'PAYMENT_FAILED' },
  { afterDays: 3, notice: 'PAYMENT_REMINDER' },
  { afterDays: 7, notice: 'PAYMENT_REMINDER' },
  { afterDays: 11, notice: 'READ_ONLY_SOON' },
  { afterDays: 14, notice: 'READ_ONLY', isReadOnly: true },
];

/** When a step is due; null above the ladder. */
export function dueAt(since: Date, step: number): Date | null {
  const rung = dunningLadder[step];
  return rung ? new Date(since.getTime() + rung.afterDays * dayMs) : null;
}

/** When the grace of a payment that is overdue since then is over. */
export function endOfGrace(since: Date): Date {
  return dueAt(
    since,
    dunningLadder.findIndex(({ isReadOnly }) => isReadOnly),
  )!;
}
