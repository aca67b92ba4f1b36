import type { Sweep } from '#platform/membership/sweep.js';

const keptMs = 90 * 24 * 60 * 60 * 1000;
const batch = 5_000;

/** Removes alerts that were resolved 90 days ago. */
export const alertRetention: Sweep = {
  name: 'alert.expire',
  everyMs: 10 * 60_000,
  async run({ em, now }) {
    const removed = await em.execute<unknown[]>(
      `delete from fleet.alert where (tenant_id, id) in (
         select tenant_id, id from fleet.alert where resolved_at < ? order by resolved_at limit ${batch}
       ) returning 1`,
      [new Date(now.getTime() - keptMs)],
    );
    return removed.length === batch ? 'more' : 'done';
  },
};
