import { newId } from '#platform/ids.js';
import type { Sweep, SweepStep } from '#platform/membership/sweep.js';

import { offlineAfter } from '../instance/instance.status.js';
import { alertChanged } from './alert.events.js';
import { AlertRuleKind, toldKinds } from './alert.kinds.js';
import {
  afterObservations,
  newProgress,
  type Observation,
  type Outcome,
  type Patience,
  type Progress,
} from './alert.progress.js';
import { defaultRules, messageOf, ruleKinds } from './alert.rules.js';
import {
  toDue,
  toFound,
  type DueAlert,
  type DueRow,
  type FoundCondition,
  type FoundRow,
} from './evaluate.rows.js';
import { deleteAlerts, findDue, findNew, insertAlerts, updateAlerts } from './evaluate.sql.js';

const batch = 1_000;
const lowest = Math.min(...ruleKinds.flatMap((kind) => defaultRules[kind].threshold ?? []));
const defaults = JSON.stringify(ruleKinds.map((kind) => ({ kind, ...defaultRules[kind] })));

/** Conditions that go on by themselves until something ends them; beats are not needed to confirm them. */
const lasting: readonly AlertRuleKind[] = [AlertRuleKind.OFFLINE, AlertRuleKind.DUPLICATE_IDENTITY];

/** What alerts have from their beginning, and what their rule gives them. */
type Identity = Omit<FoundCondition, 'at' | 'detail' | 'value'> & { id: string };

/** An alert as the evaluation leaves it: the columns of evaluate.sql.ts. */
type Row = Record<string, unknown>;

/**
 * Raises, counts and resolves alerts from what instances last told, beside the path of the beats. Instances with
 * nothing wrong cost one look at their row and nothing is kept of them.
 */
export function evaluateSweep(heartbeatSeconds: number): Sweep {
  const maxGapMs = offlineAfter(new Date(0), heartbeatSeconds).getTime();
  return {
    name: 'alert.evaluate',
    everyMs: 5_000,
    due: `select from fleet.instance union all select from fleet.alert where status <> 'RESOLVED'`,
    async run(step) {
      const due = await step.em.execute<DueRow[]>(findDue(batch), [
        defaults,
        ...Array<Date>(4).fill(step.now),
      ]);
      await carryOn(step, due.map(toDue), maxGapMs);
      const found = await step.em.execute<FoundRow[]>(findNew(batch), [lowest, step.now, defaults, step.now]);
      await raise(step, found.map(toFound), maxGapMs);
      return due.length === batch || found.length === batch ? 'more' : 'done';
    },
  };
}

async function carryOn({ em, now, publish }: SweepStep, due: readonly DueAlert[], maxGapMs: number) {
  const [kept, gone]: [Row[], Row[]] = [[], []];
  for (const alert of due) {
    const { progress, outcome } = advance(alert, now, maxGapMs);
    const status = outcome === 'resolved' ? 'RESOLVED' : progress.status;
    if (outcome === 'passed' || (outcome === 'resolved' && alert.status === 'PENDING')) {
      gone.push({ tenant_id: alert.tenantId, id: alert.id });
      continue;
    }
    kept.push(rowOf(alert, progress, outcome, now));
    if (status !== alert.status) publish(alertChanged(alert, alert.status, status));
  }
  if (kept.length > 0) await em.execute(updateAlerts, [JSON.stringify(kept)]);
  if (gone.length > 0) await em.execute(deleteAlerts, [JSON.stringify(gone)]);
}

async function raise({ em, now, publish }: SweepStep, found: readonly FoundCondition[], maxGapMs: number) {
  const raised = found.map((condition) => {
    const { at, value, rule } = condition;
    const { progress } = afterObservations(
      newProgress(at),
      [{ at, holds: true, value }],
      patienceOf(condition, maxGapMs),
      { now, isKnownToHold: lasting.includes(rule) },
    );
    const alert = { ...condition, id: newId('alert') };
    const row = {
      ...commonOf(alert, progress, now),
      message: messageOf(rule, condition),
      notify_at: progress.status === 'FIRING' ? now : null,
      observed_to: at,
      sampled_to: condition.sampledAt,
    };
    return { alert, row, isFiring: progress.status === 'FIRING' };
  });
  if (raised.length === 0) return;
  // A node may name one component twice: the first one stands for both.
  const inserted = await em.execute<{ id: string }[]>(insertAlerts, [
    JSON.stringify(raised.map(({ row }) => row)),
  ]);
  const ids = new Set(inserted.map(({ id }) => id));
  for (const { alert, isFiring } of raised) {
    if (isFiring && ids.has(alert.id)) publish(alertChanged(alert, null, 'FIRING'));
  }
}

function advance(alert: DueAlert, now: Date, maxGapMs: number): { progress: Progress; outcome: Outcome } {
  if (!alert.isThere || !alert.isEnabled) return { progress: alert, outcome: 'resolved' };
  const isLasting = lasting.includes(alert.rule);
  // What was about to fire when the node fell silent is not known to hold any more.
  if (!isLasting && alert.isOffline && alert.status === 'PENDING')
    return { progress: alert, outcome: 'passed' };
  return afterObservations(alert, observationsOf(alert, now), patienceOf(alert, maxGapMs), {
    now,
    isKnownToHold: alert.rule === AlertRuleKind.OFFLINE ? alert.isSilent : isLasting && alert.isDuplicate,
  });
}

function observationsOf(alert: DueAlert, now: Date): Observation[] {
  if (alert.rule === AlertRuleKind.OFFLINE) return outageObservations(alert);
  if (alert.rule === AlertRuleKind.DUPLICATE_IDENTITY) return duplicateObservations(alert, now);
  // What others tell of was noted when it happened (told-alerts.service.ts).
  return toldKinds.includes(alert.rule) ? [] : beatObservations(alert);
}

function outageObservations(alert: DueAlert): Observation[] {
  const { isSilent, offlineAt, observedTo, clearSince, statusChangedAt, beatAt } = alert;
  if (isSilent)
    return offlineAt && offlineAt > observedTo ? [{ at: offlineAt, holds: true, value: null }] : [];
  return clearSince ? [] : [{ at: statusChangedAt ?? beatAt ?? observedTo, holds: false, value: null }];
}

function duplicateObservations(alert: DueAlert, now: Date): Observation[] {
  const { isDuplicate, regressedAt, observedTo, clearSince } = alert;
  if (isDuplicate)
    return regressedAt && regressedAt > observedTo ? [{ at: regressedAt, holds: true, value: null }] : [];
  return clearSince ? [] : [{ at: now, holds: false, value: null }];
}

/** The newest beat, and before it the samples that came since the last look, between the two by server time. */
function beatObservations(alert: DueAlert): Observation[] {
  const { beatAt, observedTo, measured, threshold, unhealthy, samples } = alert;
  if (!beatAt || beatAt <= observedTo) return [];
  const isOver = (value: number | null) => value !== null && threshold !== null && value >= threshold;
  const isMeasured = alert.rule !== AlertRuleKind.COMPONENT_UNHEALTHY;
  const holdsNow = isMeasured ? isOver(measured) : unhealthy !== null;
  const between = samples
    // What a component was at earlier beats is not kept; it is taken to have been as it still is. What was not measured
    // says nothing.
    .filter(({ value }) => (isMeasured ? value !== null : holdsNow))
    .map(({ at, value }) => ({
      at: new Date(Math.min(Math.max(at.getTime(), observedTo.getTime()), beatAt.getTime())),
      holds: isMeasured ? isOver(value) : holdsNow,
      value,
    }));
  if (isMeasured && measured === null) return between;
  return [...between, { at: beatAt, holds: holdsNow, value: measured }];
}

function rowOf(alert: DueAlert, progress: Progress, outcome: Outcome, now: Date): Row {
  const { rule, component, threshold, isSilent, offlineAt, beatAt, regressedAt, unhealthy } = alert;
  const isResolved = outcome === 'resolved';
  const hasFired = alert.status === 'PENDING' && progress.status === 'FIRING';
  const wasFound = progress.count > alert.count;
  const detail = unhealthy?.detail ?? null;
  const seenTo =
    rule === AlertRuleKind.DUPLICATE_IDENTITY
      ? regressedAt
      : rule === AlertRuleKind.OFFLINE && isSilent
        ? offlineAt
        : beatAt;
  return {
    ...commonOf(alert, progress, now),
    status: isResolved ? 'RESOLVED' : progress.status,
    message: wasFound
      ? messageOf(rule, { value: progress.value, threshold, component, detail })
      : alert.message,
    resolved_at: isResolved ? now : null,
    resolution: isResolved ? resolutionOf(alert) : null,
    // Whoever was told that it fires is told that it is over.
    notify_at: hasFired || (isResolved && alert.notifiedAt) ? now : isResolved ? null : alert.notifyAt,
    observed_to: seenTo ?? alert.observedTo,
    sampled_to: alert.sampledAt ?? alert.sampledTo,
  };
}

function commonOf(alert: Identity, progress: Progress, now: Date): Row {
  return {
    tenant_id: alert.tenantId,
    id: alert.id,
    instance_id: alert.instanceId,
    instance_name: alert.instanceName,
    rule: alert.rule,
    component: alert.component,
    severity: alert.severity,
    status: progress.status,
    value: progress.value,
    threshold: alert.threshold,
    count: progress.count,
    started_at: progress.startedAt,
    fired_at: progress.firedAt,
    last_seen_at: progress.lastSeenAt,
    clear_since: progress.clearSince,
    updated_at: now,
    rule_override: alert.override,
  };
}

function resolutionOf(alert: DueAlert): string {
  if (!alert.isThere) return 'INSTANCE_REMOVED';
  return alert.isEnabled ? 'CLEARED' : 'RULE_DISABLED';
}

function patienceOf(
  { forSeconds, keepFiringForSeconds }: { forSeconds: number; keepFiringForSeconds: number },
  maxGapMs: number,
): Patience {
  return { forMs: forSeconds * 1000, keepFiringForMs: keepFiringForSeconds * 1000, maxGapMs };
}
