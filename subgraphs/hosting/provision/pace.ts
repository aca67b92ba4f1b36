/** How long whoever takes a step has for it before it is due again: longer than a call to a provider may take. */
export const claimMs = 60_000;

/** How long the calls of a step that creates may take together, so that all are over before its claim is. */
export const callsWithinMs = 45_000;

/** Before what there was no room for is tried again. */
export const crowdedMs = 1_000;

/** The pause before a provider that refuses the token is asked again, unless another token is connected before. */
export const refusedMs = 10 * 60_000;

/** How long a node may take to enroll and to beat once its server is on. */
export const enrollWithinMs = 30 * 60_000;

/** After so many calls in a row that failed for reasons that pass, a server has failed. */
export const mostFailures = 5;

const firstMs = 1_000;
const longestMs = 60_000;

/** The pause before a call is made again: twice as long each time, give or take a fifth. */
export function backoffMs(failures: number, random: () => number = Math.random): number {
  const base = Math.min(longestMs, firstMs * 2 ** Math.max(0, failures - 1));
  return Math.round(base * (0.8 + 0.4 * random()));
}

export interface Budget {
  limit: number | null;
  left: number | null;
}

const quickMs = 1_000;
/** With what it takes to notice and to write, changes are seen within five seconds. */
const slowMs = 2_800;
/** Of the allowance is kept for calls that somebody waits for. */
const keptPart = 0.1;

/**
 * The pause before servers under way are asked for again: from one second on, longer while nothing is new, and as long as
 * the requests of one look take to come back once half of the allowance is spent. Nothing is asked while only what is kept
 * for others is left, but once a minute.
 */
export function pollMs(
  { requests, quietPolls }: { requests: number; quietPolls: number },
  { limit, left }: Budget,
  random: () => number = Math.random,
): number {
  const eager = Math.min(slowMs, quickMs * 1.5 ** quietPolls);
  const jitter = 0.9 + 0.2 * random();
  if (limit === null || left === null || left > limit / 2) return Math.round(eager * jitter);
  if (left <= limit * keptPart) return Math.round(longestMs * jitter);
  const comesBackMs = (requests * 3_600_000) / limit;
  return Math.round(Math.max(eager, comesBackMs) * jitter);
}
