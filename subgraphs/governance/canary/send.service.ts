import { headOf } from '#platform/cut-text.js';
import { ApiError } from '#platform/errors.js';
import type { JobStep } from '#platform/jobs/job.js';

import type { Asker, FleetCalls, Seen } from '../order/fleet-calls.js';
import type { Baseline } from './analysis.js';
import type { Canary } from './canary.entity.js';
import { CanaryStatus, type CanaryMove } from './canary.status.js';
import {
  dropDispatch,
  isReached,
  prepareRollback,
  prepareStep,
  takeResults,
  type Dispatch,
} from './dispatch.service.js';
import { advanceKind, certainMs, claimMs, sampled, type CanaryPayload } from './kinds.js';
import { changed, lockCanary, move, recount } from './move.service.js';

export type Step = JobStep<CanaryPayload>;

const sending: ReadonlySet<CanaryStatus> = new Set([CanaryStatus.RUNNING, CanaryStatus.PROMOTING]);

/** A step that a sweep found due is no less of the request that made the canary, or had it go on. */
export function askerOf(step: Step, { tenantId, createdBy, causedBy }: Canary): Asker {
  return { tenantId, causedBy: causedBy ?? step.causedBy, actor: createdBy };
}

/** Sends the commands that wait to be sent. That one is about to be is written before it is, so that no death loses it. */
export async function sendPrepared(
  fleet: FleetCalls,
  step: Step,
  canary: Canary,
  dispatches: readonly Dispatch[],
): Promise<void> {
  for (const dispatch of dispatches) {
    if (dispatch.commandId !== null) continue;
    const isFirst = dispatch.attemptedAt === null && !dispatch.isRollback;
    const before = isFirst ? await readingsBefore(fleet, step, canary, dispatch) : undefined;
    const isMine = await claim(step, canary, dispatch, before);
    if (!isMine) continue;
    const { command, params, instanceIds, isRollback, number } = dispatch;
    const { progressDeadlineSeconds: deadlineSeconds, ignoresWindows } = canary.settings;
    try {
      const commandId = await fleet.send(
        askerOf(step, canary),
        { command, params, instanceIds, deadlineSeconds, ignoresWindows: ignoresWindows || isRollback },
        `canary.${canary.id}.${number}`,
      );
      await step.write(({ em }) =>
        em.execute(
          'update governance.canary_dispatch set command_id = ? where tenant_id = ? and canary_id = ? and number = ?',
          [commandId, canary.tenantId, canary.id, number],
        ),
      );
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      await takeRefusal(step, canary, dispatch, error);
    }
  }
}

/** How those are that the command is for, and some of the others, before anything is done to them. */
async function readingsBefore(
  fleet: FleetCalls,
  step: Step,
  canary: Canary,
  { instanceIds }: Dispatch,
): Promise<Map<string, Seen>> {
  const others = await step.em.execute<{ id: string }[]>(
    `select instance_id as id from governance.canary_member
     where tenant_id = ? and canary_id = ? and status = 'WAITING' order by position limit ?`,
    [canary.tenantId, canary.id, sampled],
  );
  const ids = [...instanceIds.slice(0, sampled), ...others.map(({ id }) => id)];
  return fleet.measure(askerOf(step, canary), canary.id, ids);
}

/** Whether it may be sent, now that nobody has paused or aborted the canary, and nobody else has sent it meanwhile. */
async function claim(
  step: Step,
  { tenantId, id }: Canary,
  { number, isRollback, attemptedAt }: Dispatch,
  before: Map<string, Seen> | undefined,
): Promise<boolean> {
  return step.write(async ({ em, publish }) => {
    const canary = await lockCanary(em, tenantId, id);
    if (!canary) return false;
    const isOn = sending.has(canary.status);
    const isAborting = canary.status === CanaryStatus.ABORTING;
    const [open] = await em.execute<{ attemptedAt: Date | string | null }[]>(
      `select attempted_at as "attemptedAt" from governance.canary_dispatch
       where tenant_id = ? and canary_id = ? and number = ? and command_id is null and finished_at is null`,
      [tenantId, id, number],
    );
    // Readings that were taken while another job sent it are none of before it.
    if (!open || (open.attemptedAt === null) !== (attemptedAt === null)) return false;
    if (open.attemptedAt !== null) {
      if (step.now.getTime() - new Date(open.attemptedAt).getTime() < certainMs)
        // It may have been sent, so that it has to be known as which command before that can be cancelled.
        return isOn || isAborting;
      await dropDispatch(em, canary, { number, isRollback }, step.now, {
        become: isRollback ? 'ROLLBACK_FAILED' : 'FAILED',
      });
      await recount(em, canary);
      const words = { reason: 'UNCERTAIN', message: 'Nobody knows whether a command was sent a day ago' };
      if (isOn) await move({ em, publish }, canary, 'pause', step.now, words);
      else changed(publish, canary, step.now);
      return false;
    }
    if (isRollback ? !isAborting : !isOn) return false;
    await em.execute(
      `update governance.canary_dispatch set attempted_at = ? where tenant_id = ? and canary_id = ? and number = ?`,
      [step.now, tenantId, id, number],
    );
    if (!isRollback) await keepVersions(em, canary, number);
    if (before && before.size > 0) await keepReadings(em, canary, before, step.now);
    return true;
  });
}

/** What each runs now that the command is about to be sent is what it is taken back to. */
async function keepVersions(em: Step['em'], { tenantId, id }: Canary, number: number): Promise<void> {
  await em.execute(
    `update governance.canary_member m set previous_version = n.facts->>'cloud_os.version' from governance.node n
     where m.tenant_id = ? and m.canary_id = ? and m.dispatch = ? and n.tenant_id = m.tenant_id and n.id = m.instance_id`,
    [tenantId, id, number],
  );
}

/** Of one step the first reading counts: those of its other commands are to be compared over the same time. */
async function keepReadings(
  em: Step['em'],
  { tenantId, id, currentStep }: Canary,
  before: Map<string, Seen>,
  now: Date,
): Promise<void> {
  const at = now.toISOString();
  const rows = [...before].map(([instanceId, { status, cpuPercent, memoryPercent, score }]) => ({
    instance_id: instanceId,
    before: { step: currentStep, at, status, cpuPercent, memoryPercent, score } satisfies Baseline,
  }));
  await em.execute(
    `update governance.canary_member m set before = n.before from jsonb_to_recordset(?::jsonb) as n (instance_id text, before jsonb)
     where m.tenant_id = ? and m.canary_id = ? and m.instance_id = n.instance_id
       and (m.status <> 'WAITING' or (m.before->>'step') is distinct from (n.before->>'step'))`,
    [JSON.stringify(rows), tenantId, id],
  );
}

/** What fleet refuses for good; what passes by itself is thrown on, and tried again. */
const final: ReadonlySet<string> = new Set(['CONFLICT', 'VALIDATION_FAILED', 'FORBIDDEN', 'NOT_FOUND']);

/** Fleet says no. Of a command that may have been sent before only what it says of that very command counts. */
async function takeRefusal(step: Step, canary: Canary, dispatch: Dispatch, error: ApiError): Promise<void> {
  const { code } = error;
  const { reason, details } = error.extensions as { reason?: string; details?: Record<string, unknown> };
  if (!final.has(code) || reason === 'TARGETS_CHANGED') throw error;
  const isViolation = reason === 'POLICY_VIOLATION';
  const gone = code === 'VALIDATION_FAILED' ? goneOf(dispatch, details) : [];
  // Fleet looks for the key before it looks at policies and instances: one that it has is answered, and not refused.
  const isAboutIt = isViolation || gone.length > 0;
  if (dispatch.attemptedAt !== null && !isAboutIt) throw error;
  const refused = isViolation ? refusedOf(dispatch, details) : [];
  await step.write(async ({ em, publish }) => {
    const { tenantId, id } = canary;
    const row = await lockCanary(em, tenantId, id);
    if (!row) return;
    const { isRollback } = dispatch;
    const become = isRollback ? 'ROLLBACK_FAILED' : 'WAITING';
    const words = {
      reason: isViolation ? 'POLICY_VIOLATION' : 'REFUSED',
      message: headOf(error.message, 1_000),
    };
    if (gone.length > 0) {
      await dropDispatch(em, row, dispatch, step.now, {
        instead: { ids: gone, become: 'GONE' },
        become: 'WAITING',
      });
      await again(em, row, dispatch);
    } else if (refused.length > 0 && refused.length < dispatch.instanceIds.length) {
      // What is forbidden on some is not for that kept from the others.
      await dropDispatch(em, row, dispatch, step.now, {
        instead: { ids: refused, become: isRollback ? 'ROLLBACK_FAILED' : 'REFUSED' },
        become: 'WAITING',
      });
      await again(em, row, dispatch);
      if (isRollback) Object.assign(row, words);
    } else {
      await dropDispatch(em, row, dispatch, step.now, {
        ...(isViolation && !isRollback
          ? { instead: { ids: dispatch.instanceIds, become: 'REFUSED' as const } }
          : {}),
        become,
      });
      if (!sending.has(row.status)) Object.assign(row, words);
      // Those who were refused once and are asked again keep nobody waiting.
      else if (!isViolation || isRollback || !(await isReached(em, row)))
        await move({ em, publish }, row, 'pause', step.now, words);
    }
    await recount(em, row);
    changed(publish, row, step.now);
    row.dueAt = step.now;
  });
}

function goneOf({ instanceIds }: Dispatch, details: Record<string, unknown> = {}): string[] {
  return Object.keys(details).flatMap((path) => {
    const at = /^input\.instanceIds\.(\d+)$/.exec(path)?.[1];
    return at === undefined ? [] : [instanceIds[Number(at)]!];
  });
}

function refusedOf({ instanceIds }: Dispatch, details: Record<string, unknown> = {}): string[] {
  const others = Array.isArray(details['others']) ? (details['others'] as { instance?: unknown }[]) : [];
  const told = new Set([details['instance'], ...others.map(({ instance }) => instance)]);
  return instanceIds.filter((id) => told.has(id));
}

/** The rest of a command of which some are not there any more, as another one. */
async function again(em: Step['em'], canary: Canary, { isRollback, instanceIds }: Dispatch): Promise<void> {
  if (!isRollback) {
    await prepareStep(em, canary, canary.status === CanaryStatus.PROMOTING ? 'rest' : canary.currentStep);
    return;
  }
  await em.execute(
    `update governance.canary_member set status = 'UPDATED' where tenant_id = ? and canary_id = ? and status = 'WAITING'
       and instance_id in (select jsonb_array_elements_text(?::jsonb))`,
    [canary.tenantId, canary.id, JSON.stringify(instanceIds)],
  );
  await prepareRollback(em, canary);
}

/** Has what was sent looked at, and keeps how its instances are. Answers whether anything is still under way. */
export async function follow(
  fleet: FleetCalls,
  step: Step,
  canary: Canary,
  dispatches: readonly Dispatch[],
): Promise<void> {
  for (const dispatch of dispatches) {
    if (dispatch.commandId === null) continue;
    const { isFinished, results } = await fleet.results(askerOf(step, canary), dispatch.commandId);
    await step.write(async ({ em, publish }) => {
      const row = await lockCanary(em, canary.tenantId, canary.id);
      if (!row) return;
      await takeResults(em, row, dispatch, results);
      if (isFinished) {
        await em.execute(
          `update governance.canary_dispatch set finished_at = ? where tenant_id = ? and canary_id = ? and number = ?`,
          [step.now, row.tenantId, row.id, dispatch.number],
        );
      }
      if (await recount(em, row)) changed(publish, row, step.now);
    });
  }
}

/** For moves by what became of a step: only when nobody moved the canary meanwhile. */
export async function settle(
  step: Step,
  { tenantId, id, status, revision }: Canary,
  decide: (row: Canary, em: Step['em']) => Promise<[CanaryMove, Parameters<typeof move>[4]?] | undefined>,
  otherwise?: (row: Canary, publish: Parameters<typeof changed>[0]) => void,
): Promise<void> {
  await step.write(async ({ em, publish, enqueue }) => {
    const row = await lockCanary(em, tenantId, id);
    if (!row || row.status !== status || row.revision !== revision) return;
    // Members may have left the fleet meanwhile.
    const isNew = await recount(em, row);
    const decided = await decide(row, em);
    if (decided) await move({ em, publish }, row, decided[0], step.now, decided[1]);
    else if (otherwise) otherwise(row, publish);
    else if (isNew) changed(publish, row, step.now);
    if (row.dueAt === null || row.dueAt > step.now) return;
    row.dueAt = new Date(step.now.getTime() + claimMs);
    enqueue(advanceKind, { tenantId, canaryId: id });
  });
}
