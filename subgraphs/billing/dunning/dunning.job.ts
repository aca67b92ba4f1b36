import { LockMode } from '@mikro-orm/core';

import type { Sweep } from '#platform/membership/sweep.js';

import { changed, decide, notice } from '../subscription/apply.js';
import { BillingSubscription } from '../subscription/subscription.entity.js';
import { dueAt, dunningLadder, endOfGrace } from './dunning.ladder.js';

const atOnce = 100;
const lockMode = LockMode.PESSIMISTIC_PARTIAL_WRITE;

/** Takes the steps of the dunning ladder that are due. */
export const dunningSweep: Sweep = {
  name: 'dunning.step',
  everyMs: 30_000,
  async run({ em, now, publish }) {
    const due = await em.find(
      BillingSubscription,
      { dunningAt: { $lte: now } },
      { orderBy: { dunningAt: 'asc' }, limit: atOnce, lockMode },
    );
    for (const row of due) {
      const since = row.pastDueSince;
      const step = dunningLadder[row.dunningStep];
      row.dunningStep += 1;
      row.dunningAt = since && dueAt(since, row.dunningStep);
      if (!since || !step) continue;
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
      if (!step.isReadOnly) continue;
      decide(row, now, publish);
      publish(changed(row));
    }
    await em.flush();
    return due.length > 0 ? 'more' : 'done';
  },
};

/** Says that a trial is about to end. */
export const trialNoticeSweep: Sweep = {
  name: 'trial.notice',
  everyMs: 60_000,
  async run({ em, now, publish }) {
    const due = await em.find(
      BillingSubscription,
      { trialNoticeAt: { $lte: now } },
      { orderBy: { trialNoticeAt: 'asc' }, limit: atOnce, lockMode },
    );
    for (const row of due) {
      row.trialNoticeAt = null;
      if (row.trialEnd) publish(notice(row, { notice: 'TRIAL_ENDS', at: row.trialEnd.toISOString() }));
    }
    await em.flush();
    return due.length === atOnce ? 'more' : 'done';
  },
};
