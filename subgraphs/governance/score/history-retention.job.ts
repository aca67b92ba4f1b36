import type { Sweep } from '#platform/membership/sweep.js';

/** A year and the days by which it is compared with the one before. */
const keptDays = 400;
const atOnce = 1_000;

/** Forgets scores of days that nobody can ask for any more. */
export const historyRetentionSweep: Sweep = {
  name: 'scores.forget',
  everyMs: 60 * 60 * 1000,
  async run({ em, now }) {
    const before = new Date(now.getTime() - keptDays * 86_400_000).toISOString().slice(0, 10);
    const gone = await em.execute<unknown[]>(
      `delete from governance.score_day where (tenant_id, day) in
         (select tenant_id, day from governance.score_day where day < ?::date order by day limit ?) returning 1`,
      [before, atOnce],
    );
    return gone.length === atOnce ? 'more' : 'done';
  },
};
