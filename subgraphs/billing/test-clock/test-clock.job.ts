import type { JobDefinition, JobPayload } from '#platform/jobs/job.js';
import type { Sweep } from '#platform/membership/sweep.js';
import type { Consumer } from '#platform/outbox/consumer.js';

import { renewLicences } from '../licence/licence.job.js';
import { advanceKind } from './advance.kind.js';
import { stopOnTheWay, type Advancing } from './advance.service.js';
import type { TenantTime } from './tenant-time.service.js';
import { TestClockStatus } from './test-clock.entity.js';
import { finalFailure } from './test-clock.service.js';

/** Goes on with a way that its request could not finish. */
export function advanceJob(advancing: Advancing, now: () => Date, database: TravelDatabase): JobDefinition {
  return {
    ...advanceKind,
    async handle(step) {
      const { tenantId } = step.payload;
      const { signal, write } = step;
      try {
        const clock = await advancing.goOn({ database, tenantId, now, write, signal });
        if (clock.status === TestClockStatus.ADVANCING) throw new Error('the test clock is still on its way');
      } catch (error) {
        const gaveUp = step.isLastAttempt ? 'The payment provider could not be reached for long' : undefined;
        const sentence = finalFailure(error) ?? gaveUp;
        if (sentence === undefined) throw error;
        await write((each) => stopOnTheWay(each, tenantId, { failure: sentence, now: now() }));
      }
    },
  };
}

type TravelDatabase = Parameters<Advancing['goOn']>[0]['database'];

/** Issues the licences anew that are about to end for a tenant, once its time was advanced. */
export function renewAdvanced(times: TenantTime): Consumer {
  return {
    topics: ['billing.test-clock.advanced'],
    async handle({ em, event, now }) {
      await renewLicences(em, times, now, event.tenantId);
    },
  };
}

const lagMs = 60 * 60 * 1000;
const atOnce = 50;

/**
 * Lets the clocks at Stripe, which stand still between two ways, catch up with time as it passes by itself: subscriptions
 * are renewed within an hour of when they ought to be.
 */
export const catchUpSweep: Sweep = {
  name: 'test-clock.catch-up',
  everyMs: 60_000,
  due: `select from billing.test_clock where stripe_clock_id is not null and status = 'READY'
    and stripe_time <= ?::timestamptz + ahead_ms * interval '1 millisecond' - interval '${lagMs} ms'`,
  async run({ em, now, enqueue }) {
    const behind = await em.execute<{ tenantId: string }[]>(
      `update billing.test_clock t
       set status = 'ADVANCING', version = version + 1, way_to = ?::timestamptz + t.ahead_ms * interval '1 millisecond'
       where t.tenant_id in (
         select tenant_id from billing.test_clock
         where stripe_clock_id is not null and status = 'READY'
           and stripe_time <= ?::timestamptz + ahead_ms * interval '1 millisecond'
         order by stripe_time limit ${atOnce} for update skip locked)
       returning t.tenant_id as "tenantId"`,
      [now, new Date(now.getTime() - lagMs)],
    );
    for (const { tenantId } of behind) enqueue<JobPayload>(advanceKind, { tenantId });
    return behind.length === atOnce ? 'more' : 'done';
  },
};
