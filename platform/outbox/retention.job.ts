import type { Sweep } from '../membership/sweep.js';

const keptHours = 24;
const batch = 5_000;

/** Removes events that are too old to resume from, once every consumer has had them. */
export function outboxRetention(area: string): Sweep {
  return {
    name: 'outbox.expire',
    everyMs: 60_000,
    async run({ em, now }) {
      const removed = await em.execute<unknown[]>(
        `delete from ${area}.outbox where (xid, id) in (
           select xid, id from ${area}.outbox where occurred_at < ?
             and (xid, id) <= all (select p.xid, p.id from platform.consumer_position p where p.source = ?)
           order by occurred_at limit ?
         ) returning 1`,
        [new Date(now.getTime() - keptHours * 60 * 60 * 1000), area, batch],
      );
      return removed.length === batch ? 'more' : 'done';
    },
  };
}
