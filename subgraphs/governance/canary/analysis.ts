/** What was seen of an instance at a time. */
export interface Reading {
  status: 'HEALTHY' | 'DEGRADED' | 'OFFLINE';
  cpuPercent: number | null;
  memoryPercent: number | null;
  score: number | null;
}

export interface Sample {
  before: Reading | null;
  /** Null when it left the fleet. */
  now: (Reading & { lastSeen: string | null; alertsSince: readonly string[] }) | null;
  /** When it ended the command, or for others the step began. */
  since: string;
}

export interface Limits {
  /** Points of a percentage by which a mean may be above that of the others. */
  maxRisePercent: number;
  /** Points by which the mean score may fall. */
  maxScoreDrop: number;
}

export type Verdict = 'PASS' | 'FAIL' | 'INCONCLUSIVE' | 'SKIPPED';

export interface Check {
  name: 'health' | 'alerts' | 'cpu' | 'memory' | 'score';
  verdict: Verdict;
  /** Of those that have the command. */
  measured: number | null;
  /** What it is compared with. */
  reference: number | null;
  message: string;
}

/** Compares those that have the command with those that have not. Reads nothing and never throws. */
export function analyse(
  touched: readonly Sample[],
  untouched: readonly Sample[],
  limits: Limits,
): { verdict: Exclude<Verdict, 'SKIPPED'>; checks: Check[] } {
  const has = touched.filter(({ now }) => now !== null);
  const others = untouched.filter(({ now }) => now !== null);
  const checks = [
    shares('health', has, others, isWorse, 'are worse than before'),
    shares('alerts', has, others, hasNewAlert, 'have an alert that is new'),
    means('cpu', has, others, (reading) => reading.cpuPercent, limits),
    means('memory', has, others, (reading) => reading.memoryPercent, limits),
    scores(has, others, limits),
  ];
  const found = new Set(checks.map(({ verdict }) => verdict));
  if (found.has('FAIL')) return { verdict: 'FAIL', checks };
  return { verdict: found.has('INCONCLUSIVE') ? 'INCONCLUSIVE' : 'PASS', checks };
}

/** Has it beaten since? What it says from before tells nothing. */
export function isFresh({ now, since }: Sample): boolean {
  return now !== null && now.lastSeen !== null && Date.parse(now.lastSeen) > Date.parse(since);
}

const ranks = { HEALTHY: 0, DEGRADED: 1, OFFLINE: 2 } as const;

function isWorse({ before, now }: Sample): boolean {
  return now !== null && ranks[now.status] > ranks[before?.status ?? 'HEALTHY'];
}

function hasNewAlert({ now, since }: Sample): boolean {
  return now !== null && now.alertsSince.some((at) => Date.parse(at) > Date.parse(since));
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
  const silent = touched.filter((each) => !isFresh(each)).length;
  if (silent > 0)
    return {
      ...base,
      verdict: 'INCONCLUSIVE',
      message: `${silent} of ${touched.length} have not beaten since`,
    };
  return { ...base, verdict: 'PASS', message: `None of ${touched.length} ${words}` };
}

function means(
  name: 'cpu' | 'memory',
  touched: readonly Sample[],
  untouched: readonly Sample[],
  of: (reading: Reading) => number | null,
  { maxRisePercent }: Limits,
): Check {
  const measured = mean(touched.filter(isFresh).map(({ now }) => of(now!)));
  const others = mean(untouched.map(({ now }) => of(now!)));
  const reference = others ?? mean(touched.map(({ before }) => before && of(before)));
  const base = { name, measured: rounded(measured), reference: rounded(reference) };
  if (measured === null)
    return { ...base, verdict: 'INCONCLUSIVE', message: 'None of them has told it since' };
  if (reference === null)
    return { ...base, verdict: 'SKIPPED', message: 'There is nothing to compare it with' };
  const whom = others === null ? 'they had before' : 'the others have';
  const isOver = measured - reference > maxRisePercent;
  return {
    ...base,
    verdict: isOver ? 'FAIL' : 'PASS',
    message: `${rounded(measured)} % in the mean; ${rounded(reference)} % is what ${whom}`,
  };
}

function scores(touched: readonly Sample[], untouched: readonly Sample[], { maxScoreDrop }: Limits): Check {
  const drop = (all: readonly Sample[]) =>
    mean(
      all.map(({ before, now }) =>
        before?.score == null || now?.score == null ? null : before.score - now.score,
      ),
    );
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
