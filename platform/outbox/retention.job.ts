import type { Sweep } from '../membership/sweep.js';
import { isAfter, start, type Position } from './event.js';

const keptHours = 24;
const batch = 5_000;

/** Removes events that are too old to resume from, once every consumer has had them. */
export function outboxRetention(area: string): Sweep {
  return {
    name: 'outbox.expire',
    isLong: true,
    everyMs: 60_000,
    due: `select from ${area}.outbox where occurred_at < ?::timestamptz - interval '${keptHours} hours'`,
    async run({ em, now }) {
      const removed = await em.execute<Position[]>(
        `delete from ${area}.outbox where (timeline, xid, id) in (
           select timeline, xid, id from ${area}.outbox where occurred_at < ?
             and (timeline, xid, id) <= all (
               select p.timeline, p.xid, p.id from platform.consumer_position p where p.source = ?)
           order by occurred_at limit ?
         ) returning timeline::text as timeline, xid::text as xid, id::text as id`,
        [new Date(now.getTime() - keptHours * 60 * 60 * 1000), area, batch],
      );
      const last = removed.reduce((furthest, each) => (isAfter(each, furthest) ? each : furthest), start);
      if (removed.length > 0) {
        await em.execute(
          `insert into ${area}.outbox_removed as r (timeline, xid, id) values (?::bigint, ?::xid8, ?::bigint)
           on conflict (is_only) do update
             set timeline = excluded.timeline, xid = excluded.xid, id = excluded.id
             where (r.timeline, r.xid, r.id) < (excluded.timeline, excluded.xid, excluded.id)`,
          [last.timeline, last.xid, last.id],
        );
      }
      return removed.length === batch ? 'more' : 'done';
    },
  };
}
