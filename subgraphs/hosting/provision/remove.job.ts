import { ApiError } from '#platform/errors.js';
import type { JobStep } from '#platform/jobs/job.js';

import { marksOf } from '../provider/marks.js';
import { ProviderError, type ProviderErrorKind } from '../provider/provider-error.js';
import { leftoverReason, withLeftovers } from '../server/leftovers.js';
import { leftBehind } from '../server/live-servers.service.js';
import { lockServer, move, type Change } from '../server/move.service.js';
import type { Server } from '../server/server.entity.js';
import { ServerPhase } from '../server/server.phases.js';
import type { AdvancePayload } from './kinds.js';
import { backoffMs, claimMs, mostFailures, refusedMs } from './pace.js';
import { askerOf, keepLearned, lookSoon, type OpenAccount, type StepTools } from './steps.service.js';

type Step = JobStep<AdvancePayload>;

const later = (now: Date, ms: number): Date => new Date(now.getTime() + ms);
/** Why a server is there still that is to be deleted. */
export const delayed = 'DELETION_DELAYED';
/** How often it is asked whether commands have ended, and whether a server is gone. */
const lookMs = 2_000;
/** How often fleet is asked again that does not let a node go: its tenant may be suspended. */
const fleetAgainMs = 5 * 60_000;

/** Waits for commands on the node to end, but not for ever. */
export async function drain({ fleet }: StepTools, step: Step, server: Server): Promise<void> {
  const { now } = step;
  const { instanceId, drainUntil } = server;
  const isOver = instanceId === null || drainUntil === null || drainUntil <= now;
  const waits = !isOver && (await fleet.hasOpenCommands(askerOf(step), instanceId));
  await change(step, server, (row) =>
    waits ? { phase: row.phase, dueAt: later(now, lookMs) } : { phase: ServerPhase.DELETING, dueAt: now },
  );
}

/**
 * Takes the server down at the provider, and then its node out of the fleet. Each part is safe to repeat, and what the
 * provider does not have any more is gone.
 */
export async function remove(tools: StepTools, step: Step, server: Server, open: OpenAccount): Promise<void> {
  const isGone = await takeDown(tools, step, server, open);
  if (!isGone) return;
  if (server.createCalls > 0 && !(await forget(tools, step, server, open))) return;
  const { now } = step;
  if (server.phase === ServerPhase.FAILED) {
    if (!(await leaveFleet(tools, step, server))) return;
    await change(step, server, (row) => ({
      phase: ServerPhase.FAILED,
      providerId: null,
      operationIds: [],
      dueAt: null,
      billedTo: row.billedFrom && (row.billedTo ?? now),
    }));
    return;
  }
  await finish(tools, step, server);
}

/**
 * Takes its marks away where they would stay behind, and answers whether that is done. A second server, made by a call whose
 * answer was lost, is known by these alone, so it is taken down before.
 */
async function forget(tools: StepTools, step: Step, server: Server, open: OpenAccount): Promise<boolean> {
  const { driver, session } = open;
  if (!driver.forget) return true;
  const { now } = step;
  const marks = marksOf(tools.publicUrl, server);
  const again = (dueAt: Date, providerId = server.providerId) =>
    change(step, server, (row) => ({ phase: row.phase, providerId, operationIds: [], dueAt }));
  try {
    const calledAt = server.lastCallAt?.getTime() ?? 0;
    if (server.createCalls > 1 && now.getTime() - calledAt < claimMs) {
      await again(new Date(calledAt + claimMs));
      return false;
    }
    const left = await driver.find(session, marks);
    if (left) {
      await again(later(now, lookMs), left.providerId);
      return false;
    }
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error;
    await postpone(step, server, open, error);
    return false;
  }
  try {
    await driver.forget(session, marks);
  } catch (error) {
    // What is left of its marks then takes no place and costs nothing.
    if (!(error instanceof ProviderError)) throw error;
  }
  return true;
}

/** What is left to do once the provider has nothing of it. */
export async function finish(tools: StepTools, step: Step, server: Server): Promise<void> {
  const { now } = step;
  if (!(await leaveFleet(tools, step, server))) return;
  await change(step, server, (row) => ({
    phase: ServerPhase.DELETED,
    deletedAt: now,
    // It has left the fleet just now, which does not answer for it any more.
    instanceId: null,
    billedTo: row.billedFrom && (row.billedTo ?? now),
    sealedToken: null,
    operationIds: [],
    dueAt: null,
    ...(row.reason === leftBehind ? {} : leftoverReason(row.leftovers)),
    progress: 100,
  }));
}

/** Gives back the place that is kept for its node, or takes that out of the fleet; answers whether that is done. */
async function leaveFleet({ fleet }: StepTools, step: Step, server: Server): Promise<boolean> {
  const asker = askerOf(step);
  try {
    if (server.enrollmentTokenId !== null) await fleet.release(asker, server.enrollmentTokenId);
    // A node that came in just now is known by then.
    const known = await step.em.execute<{ instanceId: string | null }[]>(
      'select instance_id as "instanceId" from hosting.server where tenant_id = ? and id = ?',
      [server.tenantId, server.id],
    );
    const instanceId = known[0]?.instanceId ?? null;
    if (instanceId !== null) await fleet.decommission(asker, instanceId);
    return true;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    const isToldOtherwise = server.phase === ServerPhase.FAILED || server.reason === leftBehind;
    const message = `Its node could not leave the fleet yet: ${error.message}`;
    await change(step, server, (row) => ({
      phase: row.phase,
      dueAt: later(step.now, fleetAgainMs),
      // The provider has nothing of it any more.
      billedTo: row.billedFrom && (row.billedTo ?? step.now),
      ...(isToldOtherwise ? {} : { reason: delayed, message }),
    }));
    return false;
  }
}

/** Whether it is gone; otherwise it is looked at again later. */
async function takeDown(tools: StepTools, step: Step, server: Server, open: OpenAccount): Promise<boolean> {
  const { now } = step;
  const { driver, session } = open;
  try {
    let { providerId } = server;
    if (providerId === null && server.createCalls > 0) {
      providerId = (await driver.find(session, marksOf(tools.publicUrl, server)))?.providerId ?? null;
      const calledAt = server.lastCallAt?.getTime() ?? 0;
      // A call that was made just now may not have done its work yet.
      if (providerId === null && now.getTime() - calledAt < claimMs) {
        await change(step, server, (row) => ({ phase: row.phase, dueAt: new Date(calledAt + claimMs) }));
        return false;
      }
    }
    if (providerId === null) return true;
    await keepLeftovers(step, server, open, providerId);
    const operationIds = await driver.remove(session, providerId);
    if (!operationIds) return true;
    await step.write(async ({ em, publish }) => {
      await keepLearned({ em }, open, undefined, now);
      const isFailed = server.phase === ServerPhase.FAILED;
      if (!isFailed) await lookSoon({ em }, open.account, now);
      const row = await lockServer(em, server.tenantId, server.id);
      if (!row || row.phase !== server.phase) return;
      move({ publish }, row, row.phase, now, {
        providerId,
        operationIds,
        failures: 0,
        dueAt: later(now, isFailed ? lookMs : claimMs),
      });
    });
    return false;
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error;
    await postpone(step, server, open, error);
    return false;
  }
}

const lookedForAgain: readonly ProviderErrorKind[] = ['UNAUTHORIZED', 'BUSY', 'RATE_LIMITED', 'AWAY'];

/**
 * Writes down what stays at the provider before the server is deleted: afterwards nobody there tells whose it was. What was
 * never ready nobody has attached anything to; and that it can not be told keeps no server.
 */
async function keepLeftovers(
  step: Step,
  server: Server,
  open: OpenAccount,
  providerId: string,
): Promise<void> {
  const { tenantId, id, phase } = server;
  const isOfUse = phase === ServerPhase.DELETING && server.operationIds.length === 0;
  if (!isOfUse || server.failures >= mostFailures) return;
  try {
    const seen = await open.driver.attachments(open.session, providerId);
    if (seen.length === 0) return;
    await step.write(async ({ em }) => {
      const row = await lockServer(em, tenantId, id);
      if (row?.phase === phase) row.leftovers = withLeftovers(row.leftovers, seen);
    });
  } catch (error) {
    if (!(error instanceof ProviderError) || lookedForAgain.includes(error.kind)) throw error;
  }
}

/** Deleting is tried until it is done: what the provider still has costs money. */
async function postpone(step: Step, server: Server, open: OpenAccount, error: ProviderError): Promise<void> {
  const { now } = step;
  const failures = server.failures + 1;
  await step.write(async ({ em, publish }) => {
    await keepLearned({ em }, open, error, now);
    const row = await lockServer(em, server.tenantId, server.id);
    if (!row || row.phase !== server.phase) return;
    // The provider is still at work on it: nothing to tell anybody.
    const isBusy = error.kind === 'BUSY';
    const isRefused = error.kind === 'UNAUTHORIZED' || error.kind === 'READ_ONLY';
    // What is protected there is for people to release, who take their time.
    const isSlow = isRefused || (!error.isPassing && failures >= mostFailures);
    const next = {
      failures,
      dueAt: later(now, error.options.retryAfterMs ?? (isSlow ? refusedMs : backoffMs(failures))),
    };
    const isTold = !isBusy && row.phase !== ServerPhase.FAILED;
    const isNew = row.reason !== delayed || row.message !== error.message;
    if (isTold && isNew)
      move({ publish }, row, row.phase, now, { ...next, reason: delayed, message: error.message });
    else Object.assign(row, next);
  });
}

async function change(
  step: Step,
  { tenantId, id, phase }: Server,
  what: (row: Server) => Change & { phase: ServerPhase },
): Promise<void> {
  await step.write(async ({ em, publish }) => {
    const row = await lockServer(em, tenantId, id);
    if (!row || row.phase !== phase) return;
    const { phase: next, ...others } = what(row);
    move({ publish }, row, next, step.now, others);
  });
}
