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

/** How a beat's row counts steps back, as assignments over the instance `i` and the beat `b`. */
export const countRegressions = `regressions = case
      when b.sequence is null or i.sequence is null or b.sequence > i.sequence then i.regressions
      when i.regressed_at > b.last_seen_at - interval '${windowMs} milliseconds' then i.regressions + 1
      else 1 end,
    regressed_at = case when b.sequence <= i.sequence then b.last_seen_at else i.regressed_at end`;
