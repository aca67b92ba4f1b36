import type { Sweep } from '#platform/membership/sweep.js';

const dayMs = 24 * 60 * 60 * 1000;
const batch = 5_000;

/** Which column of which table tells its age, and how many days are kept. */
const kept = [
  { table: 'alert', ended: 'resolved_at', days: 90 },
  { table: 'alert_silence', ended: 'ends_at', days: 90 },
  { table: 'notification_delivery', ended: 'created_at', days: 30 },
] as const;

/** Removes resolved alerts, ended silences and deliveries that are too old. */
export const alertRetention: Sweep = {
  name: 'alert.expire',
  everyMs: 10 * 60_000,
  async run({ em, now }) {
    let isMore = false;
    for (const { table, ended, days } of kept) {
      const removed = await em.execute<unknown[]>(
        `delete from fleet.${table} where (tenant_id, id) in (
           select tenant_id, id from fleet.${table} where ${ended} < ? order by ${ended} limit ${batch}
         ) returning 1`,
        [new Date(now.getTime() - days * dayMs)],
      );
      isMore ||= removed.length === batch;
    }
    return isMore ? 'more' : 'done';
  },
};
