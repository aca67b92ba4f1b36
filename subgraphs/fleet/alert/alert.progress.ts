/** What one beat (or one outage) says about a condition. */
export interface Observation {
  at: Date;
  holds: boolean;
  value: number | null;
}

/** What of an alert its next observation depends on. */
export interface Progress {
  /** An acknowledged alert goes on as a firing one does. */
  status: 'PENDING' | 'FIRING' | 'ACKNOWLEDGED';
  startedAt: Date;
  firedAt: Date | null;
  lastSeenAt: Date;
  clearSince: Date | null;
  count: number;
  value: number | null;
}

export interface Patience {
  forMs: number;
  keepFiringForMs: number;
  /** After a longer silence the condition is not known to have held all the time, and begins anew. */
  maxGapMs: number;
}

/**
 * `passed`: it was gone before it fired, and nothing is kept of it. `resolved`: it was gone for long enough.
 */
export type Outcome = 'goes on' | 'passed' | 'resolved';

/** An alert that was found for the first time, before that finding is counted. */
export function newProgress(at: Date): Progress {
  return {
    status: 'PENDING',
    startedAt: at,
    firedAt: null,
    lastSeenAt: at,
    clearSince: null,
    count: 0,
    value: null,
  };
}

/**
 * Carries an alert on over what was observed, in its order. A pending alert fires when an observation finds the
 * condition `forMs` or longer after the first one: only what was seen counts, so a node that falls silent fires
 * nothing but its outage. With `isKnownToHold` the condition is one that lasts without being observed again, as an
 * outage does.
 */
export function afterObservations(
  before: Progress,
  observations: readonly Observation[],
  patience: Patience,
  { now, isKnownToHold = false }: { now: Date; isKnownToHold?: boolean },
): { progress: Progress; outcome: Outcome } {
  const progress = { ...before };
  let hasPassed = false;
  for (const { at, holds, value } of observations) {
    if (!holds) {
      hasPassed = progress.status === 'PENDING';
      progress.clearSince ??= at;
      if (!hasPassed && since(progress.clearSince, at) >= patience.keepFiringForMs) {
        return { progress, outcome: 'resolved' };
      }
      continue;
    }
    const isAnew =
      progress.status === 'PENDING' && (hasPassed || since(progress.lastSeenAt, at) > patience.maxGapMs);
    if (isAnew) Object.assign(progress, newProgress(at));
    hasPassed = false;
    Object.assign(progress, { count: progress.count + 1, lastSeenAt: at, clearSince: null, value });
    if (progress.status === 'PENDING' && since(progress.startedAt, at) >= patience.forMs) fire(progress, at);
  }
  if (hasPassed) return { progress, outcome: 'passed' };
  if (isKnownToHold && progress.status === 'PENDING' && since(progress.startedAt, now) >= patience.forMs) {
    fire(progress, now);
  }
  const isOver = progress.clearSince && since(progress.clearSince, now) >= patience.keepFiringForMs;
  return { progress, outcome: isOver ? 'resolved' : 'goes on' };
}

function fire(progress: Progress, at: Date): void {
  progress.status = 'FIRING';
  progress.firedAt = at;
}

function since(from: Date, to: Date): number {
  return to.getTime() - from.getTime();
}
