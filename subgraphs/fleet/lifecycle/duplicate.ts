const windowMs = 10 * 60 * 1000;
const enough = 3;

/**
 * Whether two nodes seem to use one credential. The sequence of one node's beats grows, and begins anew with each run of
 * its agent. That of two jumps to and fro: each goes on with its own count, from where it had left off.
 */
export function isDuplicate(
  { regressions, regressedAt }: { regressions: number; regressedAt: Date | null },
  now: Date,
): boolean {
  return regressions >= enough && regressedAt !== null && now.getTime() - regressedAt.getTime() < windowMs;
}

/** What is remembered of the sequences of an instance's beats. */
export interface SequenceState {
  sequence: number | null;
  /** Where the count stood that was left by the last jump, if there was one. */
  otherSequence: number | null;
  /** How often a count that had been left went on, each time soon after the last. */
  regressions: number;
  regressedAt: Date | null;
}

/**
 * Counts a beat that goes on with the count that had been left. A restart, a restored backup and lost beats only ever
 * leave one: they do not come back to it, but grow past it step by step. Two copies of a node that go on in step give
 * each number twice, so one that stays counts as well, unless it is the very same beat that came again, or the beginning
 * of a run after one that was as short.
 */
export function sequenceAfter(
  before: SequenceState,
  sequence: number | null,
  { isSameBeat, now }: { isSameBeat: boolean; now: Date },
): SequenceState {
  const { regressions, regressedAt } = before;
  const { otherSequence, isBack } = step(before, sequence, isSameBeat);
  if (!isBack) return { sequence, otherSequence, regressions, regressedAt };
  const isSoon = regressedAt !== null && now.getTime() - regressedAt.getTime() < windowMs;
  return { sequence, otherSequence, regressions: isSoon ? regressions + 1 : 1, regressedAt: now };
}

function step(
  { sequence: last, otherSequence: other }: SequenceState,
  sequence: number | null,
  isSameBeat: boolean,
): { otherSequence: number | null; isBack: boolean } {
  if (last === null || sequence === null) return { otherSequence: null, isBack: false };
  if (sequence === last) return { otherSequence: other, isBack: !isSameBeat && sequence > 1 };
  if (sequence < last) return { otherSequence: last, isBack: other !== null && other < sequence };
  if (sequence === other) return { otherSequence: null, isBack: false };
  if (other === null || other < last || sequence < other) return { otherSequence: other, isBack: false };
  // Beyond the other count: by a step of its own, or with a jump to where that one goes on.
  return sequence === last + 1
    ? { otherSequence: null, isBack: false }
    : { otherSequence: last, isBack: true };
}

/** Who has regressed often enough in SQL, of the instance `i`: the condition of the index of those. */
export const hasRegressedSql = `i.regressions >= ${enough}`;

/** The same as `isDuplicate` in SQL, of the instance `i`; takes the time once as its parameter. */
export const isDuplicateSql = `coalesce(${hasRegressedSql}
  and i.regressed_at > ?::timestamptz - interval '${windowMs} milliseconds', false)`;
