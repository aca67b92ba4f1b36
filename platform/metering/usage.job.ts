import type { Sweep } from '../membership/sweep.js';

const hourMs = 60 * 60 * 1000;
const tenantsAtOnce = 500;

export interface Metering {
  area: string;
  /** The event by which billing hears of it. */
  topic: string;
  /** The statement that answers `tenantId` and what it uses, in the order of tenants. */
  measure: (page: UsagePage) => { sql: string; values: unknown[] };
}

export interface UsagePage {
  /** The tenant to go on after. */
  after: string;
  atMost: number;
  now: Date;
}

// Clocks of two processes may differ by some minutes. Whoever was further ahead was wrong, and holds up nobody.
const isThisHour = (told: string, now: string) => `${told} between ${now} and ${now} + interval '1 hour'`;

/** Tells once an hour what each tenant uses. A tenant that uses nothing is not told of. */
export function usageSweep({ area, topic, measure }: Metering): Sweep {
  return {
    name: 'usage.measure',
    everyMs: 60_000,
    due: `select from (select date_trunc('hour', ?::timestamptz, 'UTC') as now) h where not exists (
      select from ${area}.usage_hour where ${isThisHour('hour', 'h.now')} and told_to is null)`,
    async run({ em, now, publish }) {
      const hour = new Date(Math.floor(now.getTime() / hourMs) * hourMs).toISOString();
      const [place] = await em.execute<{ toldTo: string | null; version: string }[]>(
        `insert into ${area}.usage_hour as u (hour, told_to) values (?, '')
         on conflict (is_only) do update
         set hour = case when ${isThisHour('u.hour', 'excluded.hour')} then u.hour else excluded.hour end,
           told_to = case when ${isThisHour('u.hour', 'excluded.hour')} then u.told_to else '' end
         returning told_to as "toldTo",
           (extract(epoch from clock_timestamp()) * 1e6)::bigint::text as version`,
        [hour],
      );
      if (!place || place.toldTo === null) return 'done';
      // By the database's clock, as counts are told: of two levels the newer one counts.
      const entityVersion = Number(place.version);
      const { sql, values } = measure({ after: place.toldTo, atMost: tenantsAtOnce, now });
      const rows = await em.execute<({ tenantId: string } & Record<string, unknown>)[]>(sql, values);
      for (const { tenantId, ...used } of rows)
        publish({ topic, tenantId, entityId: tenantId, entityVersion, payload: { hour, ...used } });
      const isLast = rows.length < tenantsAtOnce;
      await em.execute(`update ${area}.usage_hour set told_to = ?`, [isLast ? null : rows.at(-1)!.tenantId]);
      return isLast ? 'done' : 'more';
    },
  };
}
