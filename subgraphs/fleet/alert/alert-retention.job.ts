import type { Sweep } from '#platform/membership/sweep.js';

const dayMs = 24 * 60 * 60 * 1000;
const batch = 5_000;
const addressDays = 30;

/** Which column of which table tells its age, and how many days are kept. */
const kept = [
  { table: 'alert', ended: 'resolved_at', days: 90 },
  { table: 'alert_silence', ended: 'ends_at', days: 90 },
  { table: 'notification_delivery', ended: 'created_at', days: 30 },
] as const;

// One that was confirmed stays for as long as a channel has it. Then, as those that never answered, it is forgotten.
const forgetAddresses = `delete from fleet.notification_address where (tenant_id, email) in (
    select a.tenant_id, a.email from fleet.notification_address a
    where a.mailed_at < ? and (a.confirmed_at is null or not exists (
      select from fleet.notification_channel c, unnest(c.recipients) r
      where c.tenant_id = a.tenant_id and lower(r) = a.email
    ))
    limit ${batch}
  )`;

/** Removes resolved alerts, ended silences, deliveries and addresses that are too old. */
export const alertRetention: Sweep = {
  name: 'alert.expire',
  isLong: true,
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
    await em.execute(forgetAddresses, [new Date(now.getTime() - addressDays * dayMs)]);
    return isMore ? 'more' : 'done';
  },
};
