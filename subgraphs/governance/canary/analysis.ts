/** What was seen of an instance at a time. */
export interface Reading {
  status: 'HEALTHY' | 'DEGRADED' | 'OFFLINE';
  cpuPercent: number | null;
  memoryPercent: number | null;
  score: number | null;
}

/** What was seen of an instance before anything was done in a step. */
export interface Baseline extends Reading {
  /** Of which step, and when. Absent in canaries from before these were kept. */
  step?: number;
  at?: string;
}

export interface Sample {
  before: Baseline | null;
  /** Null when it left the fleet. */
  now:
    | (Reading & {
        lastSeen: string | null;
        /** Since when it is so; null when it was from the start. */
        statusSince: string | null;
        alerts: readonly { startedAt: string; clearSince: string | null }[];
      })
    | null;
  /** What it says from before this tells nothing: its command had not ended, or the step not begun. */
  since: string;
  /** By when it has to have beaten for all to be well: when the time is over, once more after that. */
  wellSince: string;
  /** Whether the time is over: only then counts what began before `since` and goes on. The command may have made it. */
  isOver: boolean;
  /** Whether it has had the time to beat again as well. */
  isOverdue: boolean;
  /** Whether `before` is of the step that is looked at, so that its change may be compared with that of others. */
  isOfStep: boolean;
}

export interface Limits {
  /** Points of a percentage by which a mean may have risen beyond that of the others. */
  maxRisePercent: number;
  /** Points by which the mean score may have fallen beyond that of the others. */
  maxScoreDrop: number;
}

export type Verdict = 'PASS' | 'FAIL' | 'INCONCLUSIVE' | 'SKIPPED';

export interface Check {
  name: 'health' | 'alerts' | 'cpu' | 'memory' | 'score';
  verdict: Verdict;
  /** Of those that have the command: a share in percent, or the points by which a mean has changed. */
  measured: number | null;
  /** The same of the others. */
  reference: number | null;
  message: string;
}

/**
 * Compares those that have the command with those that have not, over the same time: `from`, when the readings of the
 * step were taken, until now. Reads nothing and never throws.
 */
export function analyse(
  touched: readonly Sample[],
  untouched: readonly Sample[],
  from: string,
  limits: Limits,
): { verdict: Exclude<Verdict, 'SKIPPED'>; checks: Check[] } {
  const has = touched.filter(({ now }) => now !== null);
  const others = untouched.filter(({ now }) => now !== null);
  const checks = [
    shares('health', has, others, isWorse, 'are worse than before'),
    shares('alerts', has, others, (each) => hasNewAlert(each, from), 'have an alert that is new'),
    rises('cpu', has, others, (reading) => reading.cpuPercent, limits),
    rises('memory', has, others, (reading) => reading.memoryPercent, limits),
    scores(has, others, limits),
  ];
  const found = new Set(checks.map(({ verdict }) => verdict));
  if (found.has('FAIL')) return { verdict: 'FAIL', checks };
  return { verdict: found.has('INCONCLUSIVE') ? 'INCONCLUSIVE' : 'PASS', checks };
}

function hasBeaten({ now }: Sample, since: string): boolean {
  return now !== null && now.lastSeen !== null && isAfter(now.lastSeen, since);
}

const isTold = (each: Sample) => hasBeaten(each, each.since);

const ranks = { HEALTHY: 0, DEGRADED: 1, OFFLINE: 2 } as const;

function isWorse(each: Sample): boolean {
  const { before, now, since } = each;
  if (now === null || ranks[now.status] <= ranks[before?.status ?? 'HEALTHY']) return false;
  if (now.statusSince === null || isAfter(now.statusSince, since)) return true;
  return now.status === 'OFFLINE' ? each.isOver && each.isOverdue : isToldAtEnd(each);
}

function hasNewAlert(each: Sample, from: string): boolean {
  const goesOn = isToldAtEnd(each);
  return (each.now?.alerts ?? []).some(
    ({ startedAt, clearSince }) =>
      isAfter(startedAt, each.since) || (goesOn && clearSince === null && isAfter(startedAt, from)),
  );
}

/** Whether the time is over, and a beat has come that tells how it is now. */
function isToldAtEnd(each: Sample): boolean {
  return each.isOver && hasBeaten(each, each.wellSince);
}

function isAfter(at: string, since: string): boolean {
  return Date.parse(at) > Date.parse(since);
}

/** A share of them that is no larger among the others has another cause: then nobody knows. */
function shares(
  name: Check['name'],
  touched: readonly Sample[],
  untouched: readonly Sample[],
  isSo: (each: Sample) => boolean,
  words: string,
): Check {
  const share = (all: readonly Sample[]) =>
    all.length === 0 ? null : (100 * all.filter(isSo).length) / all.length;
  const [measured, reference] = [share(touched), share(untouched)];
  const base = { name, measured: rounded(measured), reference: rounded(reference) };
  if (measured === null) return { ...base, verdict: 'INCONCLUSIVE', message: 'None of them is left' };
  if (measured > 0) {
    const message = `${touched.filter(isSo).length} of ${touched.length} ${words}`;
    if (reference !== null && reference >= measured)
      return { ...base, verdict: 'INCONCLUSIVE', message: `${message}, and as many of the others` };
    return { ...base, verdict: 'FAIL', message };
  }
  const silent = touched.filter((each) => !hasBeaten(each, each.wellSince)).length;
  if (silent > 0)
    return {
      ...base,
      verdict: 'INCONCLUSIVE',
      message: `${silent} of ${touched.length} have not beaten since`,
    };
  return { ...base, verdict: 'PASS', message: `None of ${touched.length} ${words}` };
}

/**
 * The mean of how far each has moved from what it was itself, less the same of the others: neither what an instance has
 * always had nor what happens to all of them counts. Where nobody is left to compare with, the others have not moved.
 */
function rises(
  name: 'cpu' | 'memory',
  touched: readonly Sample[],
  untouched: readonly Sample[],
  of: (reading: Reading) => number | null,
  { maxRisePercent }: Limits,
): Check {
  const rise = (all: readonly Sample[]) => mean(all.map((each) => changeOf(each, of)));
  const told = touched.filter(isTold);
  const [measured, reference] = [rise(told), rise(untouched.filter(isTold))];
  const base = { name, measured: rounded(measured), reference: rounded(reference) };
  if (told.every(({ now }) => of(now!) === null))
    return { ...base, verdict: 'INCONCLUSIVE', message: 'None of them has told it since' };
  if (measured === null)
    return { ...base, verdict: 'SKIPPED', message: 'It is not known what they had before' };
  const beyond = measured - (reference ?? 0);
  const others = reference === null ? 'nobody is left to compare with' : `${signed(reference)} elsewhere`;
  return {
    ...base,
    verdict: beyond > maxRisePercent ? 'FAIL' : 'PASS',
    message: `${signed(measured)} points in the mean; ${others}`,
  };
}

function changeOf({ before, now, isOfStep }: Sample, of: (reading: Reading) => number | null): number | null {
  const [was, is] = [before && of(before), now && of(now)];
  return !isOfStep || was === null || is === null ? null : is - was;
}

function scores(touched: readonly Sample[], untouched: readonly Sample[], { maxScoreDrop }: Limits): Check {
  const drop = (all: readonly Sample[]) => {
    const change = mean(all.map((each) => changeOf(each, ({ score }) => score)));
    return change === null ? null : -change;
  };
  const [measured, others] = [drop(touched), drop(untouched)];
  const base = { name: 'score' as const, measured: rounded(measured), reference: rounded(others) };
  if (measured === null) return { ...base, verdict: 'SKIPPED', message: 'No score is known' };
  const isOver = measured - Math.max(others ?? 0, 0) > maxScoreDrop;
  return {
    ...base,
    verdict: isOver ? 'FAIL' : 'PASS',
    message: `It has fallen by ${rounded(measured)} in the mean`,
  };
}

function mean(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0) / known.length;
}

function rounded(value: number | null): number | null {
  return value === null ? null : Math.round(value * 10) / 10;
}

function signed(value: number): string {
  return `${value < 0 ? '' : '+'}${rounded(value)}`;
}
