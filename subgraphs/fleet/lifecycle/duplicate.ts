const windowMs = 10 * 60 * 1000;
const enough = 3;

/**
 * One node's beats have sequences that only grow. A single step back is what a restored backup of its state makes; two
 * nodes with one credential step back again and again, as each goes on with its own count.
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
  regressions: number;
  regressedAt: Date | null;
}

/**
 * Counts a newer beat's step back. Two copies of a node that go on in step give each number twice, so one that stays is
 * a step back as well, unless it is the very same beat that came again.
 */
export function sequenceAfter(
  before: SequenceState,
  sequence: number | null,
  { isSameBeat, now }: { isSameBeat: boolean; now: Date },
): SequenceState {
  const { regressions, regressedAt } = before;
  const isBack =
    before.sequence !== null &&
    sequence !== null &&
    (sequence < before.sequence || (sequence === before.sequence && !isSameBeat));
  if (!isBack) return { sequence, regressions, regressedAt };
  const isSoon = regressedAt !== null && now.getTime() - regressedAt.getTime() < windowMs;
  return { sequence, regressions: isSoon ? regressions + 1 : 1, regressedAt: now };
}

/** The same as `isDuplicate` in SQL, of the instance `i`; takes the time once as its parameter. */
export const isDuplicateSql = `coalesce(i.regressions >= ${enough}
  and i.regressed_at > ?::timestamptz - interval '${windowMs} milliseconds', false)`;
