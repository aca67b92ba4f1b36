import type { ApiError } from '#platform/errors.js';
import type { JobDefinition } from '#platform/jobs/job.js';
import type { Sweep } from '#platform/membership/sweep.js';
import type { OutboxEvent } from '#platform/outbox/outbox.js';
import { auditEvent } from '#platform/subgraph/audit.js';

import { isClosed } from '../subscription/subscription.store.service.js';
import { wantSync } from '../subscription/sync-request.service.js';
import { finishKind, type FinishIntentPayload } from './finish-intent.kind.js';
import { Intent } from './intent.entity.js';
import { end, type Intents } from './intents.service.js';

const hourMs = 60 * 60 * 1000;
/** Stripe keeps idempotency keys for a day: a call that is made again after that could be charged again. */
const abandonMs = 23 * hourMs;

/** Finishes what a process has begun and not finished: it died, or Stripe did not answer. */
export function finishIntentJob(intents: Intents): JobDefinition<FinishIntentPayload> {
  return {
    ...finishKind,
    async handle(step) {
      const { em, now } = step;
      const { tenantId, intentId: id } = step.payload;
      const intent = await em.findOne(Intent, { tenantId, id });
      if (intent?.status !== 'PENDING') return;
      const abandon = async (refused: string): Promise<void> =>
        step.write(async (write) => {
          if (await end(write.em, intent, 'ABANDONED', now)) write.publish(audited(intent, { refused }));
          await wantSync(write, tenantId, now);
        });
      // An end is asked for under new keys each hour, and harms nobody who wants it.
      if (intent.kind !== 'CANCEL') {
        if (now.getTime() - intent.createdAt.getTime() > abandonMs) return abandon('STRIPE_AWAY');
        if (await isClosed(em, tenantId)) return abandon('TENANT_CLOSED');
      }
      let isRefused = false;
      const refuse = async ({ extensions: { reason } }: ApiError): Promise<void> => {
        await step.write(async (write) => {
          if (await end(write.em, intent, 'REFUSED', now))
            write.publish(audited(intent, { refused: reason }));
          // What Stripe has failed at may have been done in part.
          await wantSync(write, tenantId, now);
        });
        isRefused = true;
      };
      const looked = await intents.ask(em, intent, now, refuse).catch((error: unknown) => {
        // For good: there is nobody left to tell but the trail.
        if (isRefused) return undefined;
        throw error;
      });
      if (!looked) return;
      await step.write(async (write) => {
        const { isFirst } = await intents.finish(write, intent, looked, now);
        if (isFirst) write.publish(audited(intent));
      });
    },
  };
}

/** In the name of whoever asked for it. */
function audited(intent: Intent, outcome: Record<string, unknown> = {}): OutboxEvent {
  const { tenantId, mutation } = intent;
  const { name, ...actor } = mutation;
  return auditEvent(
    { name, args: {} },
    { tenantId, target: tenantId, ...actor, changes: { ...changesOf(intent), ...outcome } },
  );
}

export function changesOf({ kind, params }: Intent): Record<string, unknown> {
  const { plan, cycle, scheduleId } = params;
  // What was arranged for later is taken off, also where an operator has arranged it.
  return { kind, plan, billingCycle: cycle, ...(scheduleId === null ? {} : { scheduleOff: scheduleId }) };
}

const asksAtOnce = 1_000;

/**
 * Has ends of subscriptions that are open after a day asked for again, for as long as Stripe can not be asked: all of them
 * each day, some at a time. A tenant has one that is open.
 */
export function openEndsSweep(): Sweep {
  let after = '';
  return {
    name: 'intent.open-ends',
    everyMs: 24 * hourMs,
    async run({ em, now, enqueue }) {
      const open = await em.execute<FinishIntentPayload[]>(
        `select tenant_id as "tenantId", id as "intentId" from billing.intent
         where status = 'PENDING' and kind = 'CANCEL' and created_at < ? and tenant_id > ?
         order by tenant_id limit ?`,
        [new Date(now.getTime() - abandonMs), after, asksAtOnce],
      );
      for (const payload of open) enqueue(finishKind, payload);
      const isLast = open.length < asksAtOnce;
      after = isLast ? '' : open.at(-1)!.tenantId;
      return isLast ? 'done' : 'more';
    },
  };
}

/** Forgets intents that ended long ago. */
export const intentRetentionSweep: Sweep = {
  name: 'intent.forget',
  everyMs: hourMs,
  async run({ em, now }) {
    const batch = 5_000;
    const gone = await em.execute<unknown[]>(
      `delete from billing.intent where (tenant_id, id) in (
         select tenant_id, id from billing.intent where finished_at <= ? order by finished_at limit ?) returning 1`,
      [new Date(now.getTime() - 30 * 24 * hourMs), batch],
    );
    return gone.length === batch ? 'more' : 'done';
  },
};
