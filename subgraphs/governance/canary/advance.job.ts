import type { JobDefinition } from '#platform/jobs/job.js';

import type { FleetCalls } from '../order/fleet-calls.js';
import { bake } from './bake.service.js';
import { Canary } from './canary.entity.js';
import { CanaryStatus } from './canary.status.js';
import { openDispatches, prepareRollback, prepareStep } from './dispatch.service.js';
import { advanceKind, haltedMs, lookMs, type CanaryPayload } from './kinds.js';
import { lockCanary } from './move.service.js';
import { askerOf, follow, sendPrepared, settle, type Step } from './send.service.js';

/**
 * Takes a canary's next step, whatever that is by its row. Any number of these may run for one canary, and each may die
 * anywhere: what was done is seen in the rows, and what was begun is known to fleet by its key.
 */
export function advanceJob(
  fleet: FleetCalls,
  isSuspended: (tenantId: string) => boolean,
): JobDefinition<CanaryPayload> {
  return {
    ...advanceKind,
    async handle(step) {
      const { tenantId, canaryId: id } = step.payload;
      const canary = await step.em.findOne(Canary, { tenantId, id });
      if (!canary) return;
      // Nobody is heard while the tenant is suspended; what was restored goes on once its deadlines are moved.
      if (canary.finishedAt === null && (isSuspended(tenantId) || canary.haltedAt !== null))
        return dueAt(step, canary, new Date(step.now.getTime() + haltedMs));
      switch (canary.status) {
        case CanaryStatus.PENDING:
          if (canary.startAt > step.now) return dueAt(step, canary, canary.startAt);
          return begin(step, canary);
        case CanaryStatus.RUNNING:
        case CanaryStatus.PROMOTING:
          return run(fleet, step, canary);
        case CanaryStatus.BAKING:
          return bake(fleet, step, canary);
        case CanaryStatus.PAUSED:
          return rest(fleet, step, canary);
        case CanaryStatus.ABORTING:
          return takeBack(fleet, step, canary);
        case CanaryStatus.SUCCEEDED:
        case CanaryStatus.ROLLED_BACK:
        case CanaryStatus.FAILED:
          // A sweep of before may have taken it up while it ended.
          return canary.dueAt === null ? undefined : dueAt(step, canary, null);
      }
    },
  };
}

async function begin(step: Step, canary: Canary): Promise<void> {
  await settle(step, canary, async (row, em) => {
    row.currentStep = 1;
    await prepareStep(em, row, 1);
    return ['start'];
  });
}

async function run(fleet: FleetCalls, step: Step, before: Canary): Promise<void> {
  if (before.status === CanaryStatus.PROMOTING)
    await step.write(async ({ em }) => {
      const row = await lockCanary(em, before.tenantId, before.id);
      if (row?.status === CanaryStatus.PROMOTING) await prepareStep(em, row, 'rest');
    });
  let isUnanswered = false;
  try {
    await sendPrepared(fleet, step, before, await openDispatches(step.em, before));
    await follow(fleet, step, before, await openDispatches(step.em, before));
  } catch (error) {
    // Time goes by while nobody answers.
    if (!isOverdue(step, before)) throw error;
    isUnanswered = true;
  }
  const canary = await reread(step, before);
  if (!canary || canary.status !== before.status) return;
  // It was resumed meanwhile, and is due again.
  if (isUnanswered && !isOverdue(step, canary)) return;
  await settle(step, canary, async (row, em) => {
    const { maxFailures } = row.settings;
    const failed = row.counts.FAILED ?? 0;
    if (failed > maxFailures)
      return ['abort', { reason: 'COMMANDS_FAILED', message: `The command failed on ${failed} instances` }];
    const isOpen = (await openDispatches(em, row)).length > 0;
    if (isOpen) {
      if (isOverdue(step, row))
        return ['abort', { reason: 'DEADLINE_EXCEEDED', message: 'The command did not end in time' }];
      row.dueAt = new Date(Math.min(step.now.getTime() + lookMs, deadlineOf(row)));
      return undefined;
    }
    if (row.status === CanaryStatus.PROMOTING) return ['finish'];
    const [{ members, updated, waiting }] = (await em.execute<
      { members: number; updated: number; waiting: number }[]
    >(
      // Of this step: those before it were looked at in theirs. Whoever has left the fleet can be waited for by nobody.
      `select count(*) filter (where step = ? and status <> 'GONE')::integer as members,
         count(*) filter (where step = ? and status = 'UPDATED')::integer as updated,
         count(*) filter (where status = 'WAITING')::integer as waiting
       from governance.canary_member where tenant_id = ? and canary_id = ? and step <= ?`,
      [row.currentStep, row.currentStep, row.tenantId, row.id, row.currentStep],
    )) as [{ members: number; updated: number; waiting: number }];
    // A command that was refused was put aside; whoever resumed the canary wants it sent again.
    if (waiting > 0) {
      await prepareStep(em, row, row.currentStep);
      row.dueAt = step.now;
      return undefined;
    }
    if (members > 0 && updated === 0)
      return [
        'pause',
        { reason: 'INCONCLUSIVE', message: 'No instance could be reached, or policies refused all' },
      ];
    const { bakeSeconds } = row.steps[row.currentStep - 1]!;
    return ['sent', { bakeUntil: new Date(step.now.getTime() + bakeSeconds * 1_000), failedAnalyses: 0 }];
  });
}

function deadlineOf({ phaseAt, settings }: Canary): number {
  return phaseAt.getTime() + settings.progressDeadlineSeconds * 1_000;
}

function isOverdue({ now }: Step, canary: Canary): boolean {
  return now.getTime() >= deadlineOf(canary);
}

/** Paused: what was sent goes on, and is looked at until it has ended. */
async function rest(fleet: FleetCalls, step: Step, canary: Canary): Promise<void> {
  const sent = (await openDispatches(step.em, canary)).filter(({ commandId }) => commandId !== null);
  await follow(fleet, step, canary, sent);
  await dueAt(step, canary, sent.length > 0 ? new Date(step.now.getTime() + lookMs) : null);
}

async function takeBack(fleet: FleetCalls, step: Step, before: Canary): Promise<void> {
  const open = await openDispatches(step.em, before);
  const sent = open.filter(({ isRollback }) => !isRollback);
  // One that may have been sent has to be known before it can be cancelled; one that was not never is.
  await sendPrepared(
    fleet,
    step,
    before,
    sent.filter(({ attemptedAt }) => attemptedAt !== null),
  );
  await sendPrepared(
    fleet,
    step,
    before,
    open.filter(({ isRollback }) => isRollback),
  );
  const known = await openDispatches(step.em, before);
  for (const { isRollback, commandId } of known)
    if (!isRollback && commandId !== null) await fleet.cancel(askerOf(step, before), commandId);
  await follow(fleet, step, before, known);
  const canary = await reread(step, before);
  if (canary?.status !== CanaryStatus.ABORTING) return;
  await settle(step, canary, async (row, em) => {
    const left = await openDispatches(em, row);
    if (left.some(({ attemptedAt }) => attemptedAt !== null)) {
      row.dueAt = new Date(step.now.getTime() + lookMs);
      return undefined;
    }
    await em.execute(
      `delete from governance.canary_dispatch where tenant_id = ? and canary_id = ? and attempted_at is null and not is_rollback`,
      [row.tenantId, row.id],
    );
    await em.execute(
      `update governance.canary_member set status = 'WAITING', dispatch = null
       where tenant_id = ? and canary_id = ? and status = 'SENT'`,
      [row.tenantId, row.id],
    );
    if (left.some(({ isRollback }) => isRollback)) {
      row.dueAt = step.now;
      return undefined;
    }
    const { reason, message } = row;
    const { prepared, lost } = await prepareRollback(em, row);
    if (prepared > 0) {
      row.dueAt = step.now;
      return undefined;
    }
    if (lost > 0)
      return [
        'fail',
        { reason: 'NO_WAY_BACK', message: `Nobody knows how to take it back on ${lost} instances` },
      ];
    const [{ failed }] = (await em.execute<{ failed: number }[]>(
      `select count(*)::integer as failed from governance.canary_member
       where tenant_id = ? and canary_id = ? and status = 'ROLLBACK_FAILED'`,
      [row.tenantId, row.id],
    )) as [{ failed: number }];
    if (failed === 0) return ['undone', { reason, message }];
    const why = reason === 'REFUSED' || reason === 'POLICY_VIOLATION' ? `: ${message}` : '';
    return [
      'fail',
      { reason: 'ROLLBACK_INCOMPLETE', message: `It was not taken back on ${failed} instances${why}` },
    ];
  });
}

async function reread(step: Step, { tenantId, id }: Canary): Promise<Canary | null> {
  return step.em.findOne(Canary, { tenantId, id }, { disableIdentityMap: true });
}

async function dueAt(step: Step, canary: Canary, at: Date | null): Promise<void> {
  await settle(step, canary, async (row) => {
    row.dueAt = at;
    return undefined;
  });
}
