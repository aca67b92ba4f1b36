import type { FleetCalls, Seen } from '../order/fleet-calls.js';
import { analyse, type Sample } from './analysis.js';
import { AnalysisVerdict, type Canary } from './canary.entity.js';
import { awaitingApproval } from './canary.status.js';
import { afterStep } from './dispatch.service.js';
import { graceMs, sampled } from './kinds.js';
import type { CanaryMember } from './member.entity.js';
import { changed } from './move.service.js';
import { askerOf, settle, type Step } from './send.service.js';

type Watched = Pick<CanaryMember, 'instanceId' | 'before' | 'step'> & { endedAt: Date | string | null };

/** Compares those that have the command with those that have not, and decides what follows when the time is over. */
export async function bake(fleet: FleetCalls, step: Step, canary: Canary): Promise<void> {
  const touched = await watched(step, canary, 'UPDATED', 'step desc, position');
  const untouched = await watched(step, canary, 'WAITING', 'position');
  const isLeft = touched.length === 0 && (await haveAllLeft(step, canary));
  const next = isLeft ? undefined : nextComparison(step, canary);
  // Somebody has left meanwhile: that is counted, and is no comparison more, of which each may fail.
  if (next) return settle(step, canary, async (row) => void (row.dueAt = next));
  const ids = [...touched, ...untouched].map(({ instanceId }) => instanceId);
  const seen = await fleet.measure(askerOf(step, canary), canary.id, ids);
  const from = beginOf(canary, touched);
  const found = analyse(
    touched.map((each) => ({
      ...sampleOf(each, seen),
      ...sinceOf(step, canary, each),
      isOfStep: each.step === canary.currentStep,
    })),
    untouched.map((each) => ({
      ...sampleOf(each, seen),
      ...overSince(step, canary, from),
      since: from,
      wellSince: from,
      isOfStep: (each.before?.step ?? canary.currentStep) === canary.currentStep,
    })),
    from,
    canary.settings,
  );
  await settle(
    step,
    canary,
    async (row, em) => {
      const now = step.now.getTime();
      const until = row.bakeUntil ?? row.phaseAt;
      row.analysis = {
        step: row.currentStep,
        verdict: AnalysisVerdict[found.verdict],
        measuredAt: step.now.toISOString(),
        checks: found.checks.map((check) => ({ ...check, verdict: AnalysisVerdict[check.verdict] })),
      };
      const words = found.checks
        .filter(({ verdict }) => verdict === found.verdict)
        .map(({ name, message }) => `${name}: ${message}`)
        .join('; ');
      if (found.verdict === 'FAIL') {
        row.failedAnalyses += 1;
        if (row.failedAnalyses > row.settings.failureLimit)
          return ['abort', { reason: 'ANALYSIS_FAILED', message: words }];
      }
      const isOver = now >= until.getTime();
      // Of whom nobody is left nothing will ever be known.
      if (isLeft || (isOver && found.verdict === 'PASS')) {
        if (row.steps[row.currentStep - 1]!.waits)
          return [
            'pause',
            {
              reason: awaitingApproval,
              message: `Step ${row.currentStep} has passed: it goes on when somebody says so`,
            },
          ];
        return afterStep(em, row);
      }
      // Those that have the command may yet beat: it is by that alone that anything is known of them.
      if (found.verdict === 'INCONCLUSIVE' && now >= until.getTime() + graceMs)
        return ['pause', { reason: 'INCONCLUSIVE', message: words }];
      const nextLook = now + row.settings.intervalSeconds * 1_000;
      row.dueAt = new Date(isOver ? nextLook : Math.min(nextLook, until.getTime()));
      return undefined;
    },
    (row, publish) => changed(publish, row, step.now),
  );
}

/** When this step is to be compared again, where that is not due yet. */
function nextComparison(
  { now }: Step,
  { analysis, currentStep, settings, ...row }: Canary,
): Date | undefined {
  if (analysis?.step !== currentStep) return undefined;
  const last = new Date(analysis.measuredAt).getTime();
  const until = (row.bakeUntil ?? row.phaseAt).getTime();
  const next = last + settings.intervalSeconds * 1_000;
  const due = last < until ? Math.min(next, until) : next;
  return last >= row.phaseAt.getTime() && due > now.getTime() ? new Date(due) : undefined;
}

/** Whether all whose turn has come have left the fleet. */
async function haveAllLeft({ em }: Step, { tenantId, id, currentStep }: Canary): Promise<boolean> {
  const there = await em.execute<unknown[]>(
    `select 1 from governance.canary_member
     where tenant_id = ? and canary_id = ? and step <= ? and status <> 'GONE' limit 1`,
    [tenantId, id, currentStep],
  );
  return there.length === 0;
}

async function watched(
  step: Step,
  { tenantId, id }: Canary,
  status: 'UPDATED' | 'WAITING',
  order: 'step desc, position' | 'position',
): Promise<Watched[]> {
  return step.em.execute<Watched[]>(
    `select instance_id as "instanceId", before, step, ended_at as "endedAt" from governance.canary_member
     where tenant_id = ? and canary_id = ? and status = ? order by before is null, ${order} limit ?`,
    [tenantId, id, status, sampled],
  );
}

/** When the first readings of the step were taken. */
function beginOf({ currentStep, phaseAt }: Canary, touched: readonly Watched[]): string {
  const times = touched.flatMap(({ step, before }) =>
    step === currentStep && before?.at !== undefined ? [before.at] : [],
  );
  return times.toSorted()[0] ?? phaseAt.toISOString();
}

/** When the time is over, all is well only where one has beaten once more. */
function sinceOf(
  step: Step,
  canary: Canary,
  { endedAt }: Watched,
): Pick<Sample, 'since' | 'wellSince' | 'isOver' | 'isOverdue'> {
  const { phaseAt, bakeUntil } = canary;
  const ended = new Date(endedAt ?? phaseAt);
  const well = bakeUntil && bakeUntil <= step.now && bakeUntil > ended ? bakeUntil : ended;
  const since = ended.toISOString();
  return { since, wellSince: well.toISOString(), ...overSince(step, canary, since) };
}

function overSince(
  { now }: Step,
  { phaseAt, bakeUntil }: Canary,
  since: string,
): Pick<Sample, 'isOver' | 'isOverdue'> {
  return {
    isOver: now >= (bakeUntil ?? phaseAt),
    isOverdue: now.getTime() >= Date.parse(since) + graceMs,
  };
}

function sampleOf(
  { instanceId, before }: Watched,
  seen: ReadonlyMap<string, Seen>,
): Pick<Sample, 'before' | 'now'> {
  const now = seen.get(instanceId);
  return {
    before,
    now: now ? { ...now, alerts: now.activeAlerts } : null,
  };
}
