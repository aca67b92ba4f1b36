import { isFailoverSql } from '#platform/membership/processes.sql.js';
import type { Sweep } from '#platform/membership/sweep.js';

const atOnce = 1_000;

/** How to read this table: rows of the platform's table on the left go when their time is so many days ago. */
const kept = [
  {
    table: 'ha_change',
    at: 'occurred_at',
    days: 400,
    // The latest failover is shown whatever its age.
    goes: `id is distinct from (select max(id) from platform.ha_change where ${isFailoverSql})`,
  },
  { table: 'upgrade', at: 'updated_at', days: 400, goes: `status in ('succeeded', 'cancelled')` },
] as const;

/** Forgets who led long ago, and upgrades that ended long ago, by the clock of the database as they were written. */
export const haHistoryRetention: Sweep = {
  name: 'ha.forget',
  everyMs: 60 * 60 * 1000,
  async run({ em }) {
    let isMore = false;
    for (const { table, at, days, goes } of kept) {
      const gone = await em.execute<unknown[]>(
        `delete from platform.${table} where id in (
           select id from platform.${table} where ${at} < now() - interval '${days} days' and ${goes}
           order by ${at} limit ${atOnce}) returning 1`,
      );
      isMore ||= gone.length === atOnce;
    }
    return isMore ? 'more' : 'done';
  },
};
