import type { Database, SqlEntityManager } from '#platform/database/database.js';
import { patience, withPatience } from '#platform/database/patience.js';
import { systemEm } from '#platform/database/system-em.js';
import { JobBatch } from '#platform/jobs/enqueue.js';
import type { JobDefinition, JobPayload } from '#platform/jobs/job.js';
import type { Logger } from '#platform/logger.js';
import type { Sweep } from '#platform/membership/sweep.js';

import { reconcileMs } from './apply.js';
import { LookQueue } from './look-queue.js';
import type { Looks } from './looks.job.js';
import { syncKind } from './sync-request.service.js';

/** Several times what Stripe needs. A look that takes longer would hold up those of all others; jobs are more patient. */
const answerMs = 5_000;

/**
 * Looks at the subscriptions that webhooks tell of, in the process that took them. Where a look fails a job goes on, which
 * waits out an outage; where the process dies `lostLooksSweep` asks for one.
 */
export function lookQueue(looks: Looks, database: Database, logger: Logger): LookQueue {
  const inBackground = async <T>(work: () => Promise<T>) => withPatience(patience.background, work);
  const handOver = async (tenantIds: readonly string[]) =>
    inBackground(async () =>
      systemEm(database).transactional(async (em) => {
        // Those that have a job are left to it, and those whose request a newer look has ended.
        const given = await em.execute<{ tenantId: string }[]>(
          `update billing.sync_request set looker = 'JOB' where tenant_id in (
             select tenant_id from billing.sync_request
             where tenant_id in (select jsonb_array_elements_text(?::jsonb)) and looker = 'PROCESS'
             order by tenant_id for update)
           returning tenant_id as "tenantId"`,
          [JSON.stringify(tenantIds)],
        );
        await enqueueSyncs(
          em,
          given.map(({ tenantId }) => tenantId),
        );
      }),
    ).catch((error: unknown) =>
      logger.warn({ err: error, tenants: tenantIds.length }, 'looks were not handed over to jobs'),
    );
  const giveUp = async (error: unknown, tenantIds: readonly string[]) => {
    logger.warn({ err: error, tenants: tenantIds.length }, 'looks at subscriptions failed; jobs try again');
    await handOver(tenantIds);
  };
  return new LookQueue({
    handOver,
    async look(tenantIds) {
      try {
        const outcomes = [...(await inBackground(async () => looks.look(tenantIds, 'webhook', answerMs)))];
        const failed = outcomes.flatMap(([tenantId, outcome]) =>
          typeof outcome === 'object' ? [{ tenantId, error: outcome.error }] : [],
        );
        if (failed[0]) {
          await giveUp(
            failed[0].error,
            failed.map(({ tenantId }) => tenantId),
          );
        }
        return outcomes.flatMap(([tenantId, outcome]) => (outcome === 'AGAIN' ? [tenantId] : []));
      } catch (error) {
        await giveUp(error, tenantIds);
        return [];
      }
    },
  });
}

/** Makes a tenant's subscription what Stripe says: neither the order of webhooks nor how often each comes matters. */
export function syncJob(looks: Looks, queue: LookQueue): JobDefinition<JobPayload> {
  return {
    ...syncKind,
    async handle({ payload: { tenantId }, causedBy, isLastAttempt, em }) {
      const outcome = (await looks.look([tenantId], causedBy)).get(tenantId);
      if (outcome === 'AGAIN') queue.add([tenantId]);
      if (typeof outcome !== 'object') return;
      // The next webhook asks anew; until then reconciling does.
      if (isLastAttempt) await em.execute('delete from billing.sync_request where tenant_id = ?', [tenantId]);
      throw outcome.error;
    },
  };
}

export async function enqueueSyncs(em: SqlEntityManager, tenantIds: readonly string[]): Promise<void> {
  const jobs = new JobBatch();
  for (const tenantId of tenantIds) jobs.enqueue(syncKind, { tenantId });
  await jobs.send(em, 'billing', { requestId: 'webhook' });
}

const tenantsAtOnce = 200;
/** A job that is asked for and not done by then was given up, or lost with its queue. */
const lateMs = 60 * 60 * 1000;

/**
 * Asks for subscriptions without a webhook: each once an hour, so that what a lost webhook told is made good, and those
 * whose job was given up during an outage.
 */
export const reconcileSweep: Sweep = {
  name: 'subscription.reconcile',
  everyMs: 30_000,
  due: 'select from billing.subscription where reconcile_at <= ?',
  async run({ em, now, enqueue }) {
    const due = await em.execute<{ tenantId: string }[]>(
      `update billing.subscription set reconcile_at = ? where tenant_id in (
         select tenant_id from billing.subscription where reconcile_at <= ? order by reconcile_at limit ?
         for no key update skip locked
       ) returning tenant_id as "tenantId"`,
      [new Date(now.getTime() + reconcileMs), now, tenantsAtOnce],
    );
    if (due.length === 0) return 'done';
    // In one order, as all do who lock several.
    const wanted = await em.execute<{ tenantId: string; isLate: boolean }[]>(
      `insert into billing.sync_request as r (tenant_id, wanted_at)
       select d.id, ?::timestamptz from jsonb_array_elements_text(?::jsonb) as d (id) order by d.id
       on conflict (tenant_id) do update set wanted = r.wanted + 1, asked = excluded.asked,
         wanted_at = case when r.wanted_at <= ?::timestamptz then excluded.wanted_at else r.wanted_at end
       returning tenant_id as "tenantId", wanted_at = ?::timestamptz as "isLate"`,
      [now, JSON.stringify(due.map(({ tenantId }) => tenantId)), new Date(now.getTime() - lateMs), now],
    );
    for (const { tenantId, isLate } of wanted) if (isLate) enqueue(syncKind, { tenantId });
    return due.length === tenantsAtOnce ? 'more' : 'done';
  },
};

/** Longer than a process needs to look, or to hand over to a job. */
const lostMs = 30_000;

/** Gives jobs what a process has taken and not looked at: it died, or has more than it can do. */
export const lostLooksSweep: Sweep = {
  name: 'subscription.lost-looks',
  everyMs: 10_000,
  due: `select from billing.sync_request where looker = 'PROCESS' and wanted_at <= ?::timestamptz - interval '${lostMs} ms'`,
  async run({ em, now, enqueue }) {
    const lost = await em.execute<{ tenantId: string }[]>(
      `update billing.sync_request set looker = 'JOB' where tenant_id in (
         select tenant_id from billing.sync_request where looker = 'PROCESS' and wanted_at <= ?
         order by wanted_at limit ? for update skip locked
       ) returning tenant_id as "tenantId"`,
      [new Date(now.getTime() - lostMs), tenantsAtOnce],
    );
    for (const { tenantId } of lost) enqueue(syncKind, { tenantId });
    return lost.length === tenantsAtOnce ? 'more' : 'done';
  },
};
