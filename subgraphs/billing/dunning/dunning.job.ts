import type { Sweep } from '#platform/membership/sweep.js';

import type { TenantTime } from '../test-clock/tenant-time.service.js';
import { takeStep, tellTrialEnd } from './dunning.steps.js';

const atOnce = 100;

/** Takes the steps of the dunning ladder that are due. */
export function dunningSweep(times: TenantTime): Sweep {
  return {
    name: 'dunning.step',
    everyMs: 30_000,
    due: times.dueSql('dunningAt'),
    async run({ em, now, publish }) {
      const due = await times.due(em, 'dunningAt', { now, limit: atOnce });
      for (const { row, at } of due) takeStep(row, at, publish);
      await em.flush();
      return due.length > 0 ? 'more' : 'done';
    },
  };
}

/** Says that trials are about to end. */
export function trialNoticeSweep(times: TenantTime): Sweep {
  return {
    name: 'trial.notice',
    everyMs: 60_000,
    due: times.dueSql('trialNoticeAt'),
    async run({ em, now, publish }) {
      const due = await times.due(em, 'trialNoticeAt', { now, limit: atOnce });
      for (const { row, at } of due) tellTrialEnd(row, at, publish);
      await em.flush();
      return due.length === atOnce ? 'more' : 'done';
    },
  };
}
