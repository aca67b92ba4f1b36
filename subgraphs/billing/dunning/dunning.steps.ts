import { changed, decide, notice, type Publish } from '../subscription/apply.js';
import type { BillingSubscription } from '../subscription/subscription.entity.js';
import { dueAt, dunningLadder, endOfGrace } from './dunning.ladder.js';

/** Takes the next step of the ladder, which is due. `now` is the tenant's time. */
export function takeStep(row: BillingSubscription, now: Date, publish: Publish): void {
  const since = row.pastDueSince;
  const step = dunningLadder[row.dunningStep];
  row.dunningStep += 1;
  row.dunningAt = since && dueAt(since, row.dunningStep);
  if (!since || !step) return;
  const isLast = (dueAt(since, row.dunningStep) ?? now) <= now;
  // Of steps that were missed together, as after an outage, the last says it all.
  if (!isLast || row.dunningAt === null) {
    publish(
      notice(row, {
        notice: step.notice,
        at: endOfGrace(since).toISOString(),
        ...(row.amountOverdue === null ? {} : { amountDue: row.amountOverdue }),
        ...(row.currency === null ? {} : { currency: row.currency }),
      }),
    );
  }
  if (!step.isReadOnly) return;
  decide(row, now, publish);
  publish(changed(row));
}

/** Takes all steps that are due for a tenant at its time. */
export function takeDueSteps(row: BillingSubscription, at: Date, publish: Publish): void {
  while (row.dunningAt && row.dunningAt <= at) takeStep(row, at, publish);
}

/** Says that a trial is about to end, when that is due for a tenant at its time. */
export function tellTrialEnd(row: BillingSubscription, at: Date, publish: Publish): void {
  if (!row.trialNoticeAt || row.trialNoticeAt > at) return;
  row.trialNoticeAt = null;
  if (row.trialEnd) publish(notice(row, { notice: 'TRIAL_ENDS', at: row.trialEnd.toISOString() }));
}
