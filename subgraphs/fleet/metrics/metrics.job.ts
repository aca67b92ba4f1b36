import type { SqlEntityManager } from '#platform/database/database.js';
import { isPassing } from '#platform/database/outage.js';
import type { Logger } from '#platform/logger.js';
import type { Sweep } from '#platform/membership/sweep.js';

import {
  mergedSketches,
  ratedSamples,
  replaceUnlessFewer,
  rollupColumns,
  rollupOfRollups,
  rollupOfSamples,
  sketchColumns,
  sketchesOfSamples,
} from './metrics.sql.js';
import { dayMs, hourMs, keptMs, rateReachMs, rollupGraceMs } from './tiers.js';

// About 60 000 samples at a beat every 30 seconds.
const hoursAtOnce = 500;
// An hour that could not be rolled up is tried again after this.
const heldMs = hourMs;

interface MarkedHour {
  tenant_id: string;
  instance_id: string;
  hour: Date | string;
}

// Taken before the samples are read, in a statement of its own: a sample that commits later finds its hour unmarked
// and marks it again, one that is being stored holds its mark's lock and is waited for in the next run.
const takeHours = `delete from fleet.metrics_dirty d using (
    select tenant_id, instance_id, hour from fleet.metrics_dirty where hour <= ? and (held_until is null or held_until <= ?)
    order by hour, tenant_id, instance_id limit ${hoursAtOnce} for update skip locked
  ) taken
  where d.tenant_id = taken.tenant_id and d.instance_id = taken.instance_id and d.hour = taken.hour
  returning d.tenant_id, d.instance_id, d.hour`;

const taken = `jsonb_to_recordset(?::jsonb) as b (tenant_id text, instance_id text, hour timestamptz)`;

const rollUpHours = `insert into fleet.metrics_hourly (tenant_id, instance_id, hour, ${rollupColumns}, ${sketchColumns})
  select b.tenant_id, b.instance_id, b.hour, r.*
  from ${taken}
  cross join lateral (
    select ${rollupOfSamples}, ${sketchesOfSamples} from ${ratedSamples({
      tenant: 'b.tenant_id',
      instance: 'b.instance_id',
      from: 'b.hour',
      to: `b.hour + interval '1 hour'`,
      reach: '?::interval',
    })} as samples
  ) r
  where r.samples > 0
  on conflict (tenant_id, instance_id, hour) ${replaceUnlessFewer('metrics_hourly')}`;

const rollUpDays = `insert into fleet.metrics_daily (tenant_id, instance_id, day, ${rollupColumns}, ${sketchColumns})
  select h.tenant_id, h.instance_id, b.day, ${rollupOfRollups}, ${mergedSketches}
  from (select distinct tenant_id, instance_id, date_trunc('day', hour, 'UTC') as day from ${taken}) b
  join fleet.metrics_hourly h on h.tenant_id = b.tenant_id and h.instance_id = b.instance_id
    and h.hour >= b.day and h.hour < b.day + interval '1 day'
  group by h.tenant_id, h.instance_id, b.day
  on conflict (tenant_id, instance_id, day) ${replaceUnlessFewer('metrics_daily')}`;

const putBack = `insert into fleet.metrics_dirty (tenant_id, instance_id, hour, held_until)
  select b.tenant_id, b.instance_id, b.hour, ? from ${taken}`;

/**
 * Makes the hours that are over and marked, and the days that they belong to in the same transaction. Should one of them
 * fail, each is made alone, so that no row of one instance stops the rollups of the others.
 */
export function rollupSweep(heartbeatSeconds: number, logger: Logger): Sweep {
  const reach = `${rateReachMs(heartbeatSeconds)} milliseconds`;
  return {
    name: 'metrics.roll-up',
    isLong: true,
    everyMs: 15_000,
    due: `select from fleet.metrics_dirty where hour <= ?::timestamptz - interval '${hourMs + rollupGraceMs} ms'
      and (held_until is null or held_until <= ?)`,
    async run({ em, now }) {
      const newest = new Date(now.getTime() - hourMs - rollupGraceMs);
      const hours = await em.execute<MarkedHour[]>(takeHours, [newest, now]);
      if (hours.length === 0) return 'done';
      if (!(await isRolledUp(em, hours, reach, logger))) {
        const failed: MarkedHour[] = [];
        for (const hour of hours) if (!(await isRolledUp(em, [hour], reach, logger))) failed.push(hour);
        await em.execute(putBack, [new Date(now.getTime() + heldMs), JSON.stringify(failed)]);
      }
      return hours.length === hoursAtOnce ? 'more' : 'done';
    },
  };
}

async function isRolledUp(
  em: SqlEntityManager,
  hours: readonly MarkedHour[],
  reach: string,
  logger: Logger,
): Promise<boolean> {
  const rows = JSON.stringify(hours);
  try {
    // Within the sweep's transaction this is a savepoint.
    await em.transactional(async (inner) => {
      await inner.execute(rollUpHours, [rows, reach, reach]);
      await inner.execute(rollUpDays, [rows]);
    });
    return true;
  } catch (error) {
    if (isPassing(error)) throw error;
    const [{ instance_id: instanceId, hour }] = hours as [MarkedHour];
    if (hours.length === 1) logger.error({ err: error, instanceId, hour }, 'an hour could not be rolled up');
    return false;
  }
}

const aheadDays = 2;
const weekMs = 7 * dayMs;
// The first Monday of the epoch: weeks of hourly rollups start on Mondays.
const firstMonday = 4 * dayMs;

/** Makes partitions before they are needed: one a run, as each is locked against writers until the run commits. */
export const partitionSweep: Sweep = {
  name: 'metrics.partition',
  everyMs: 10 * 60_000,
  async run({ em, now }) {
    const today = Math.floor(now.getTime() / dayMs) * dayMs;
    const week = Math.floor((today - firstMonday) / weekMs) * weekMs + firstMonday;
    const wanted: [parent: string, low: number, high: number][] = [
      ...[0, 1, aheadDays, -1].map((days): [string, number, number] => {
        const low = today + days * dayMs;
        return ['metrics_sample', low, low + dayMs];
      }),
      ['metrics_hourly', week, week + weekMs],
      ['metrics_hourly', week + weekMs, week + 2 * weekMs],
    ];
    for (const [parent, low, high] of wanted) {
      const [answer] = await em.execute<{ isNew: boolean }[]>(
        `select fleet.add_partition(?, ?, ?) as "isNew"`,
        [parent, date(low), date(high)],
      );
      if (answer?.isNew) return 'more';
    }
    return 'done';
  },
};

/** Drops what is past its time, but no raw samples that an hour still has to be rolled up from. */
export const retentionSweep: Sweep = {
  name: 'metrics.expire',
  isLong: true,
  everyMs: 10 * 60_000,
  async run({ em, now }) {
    const [oldest] = await em.execute<{ hour: string | null }[]>(
      `select min(hour) as hour from fleet.metrics_dirty`,
    );
    // The hour before is kept too: the first network rate of an hour counts from there.
    const waiting = oldest?.hour ? new Date(oldest.hour).getTime() - hourMs : Infinity;
    const rawFrom = Math.min(now.getTime() - keptMs.raw, waiting);
    await em.execute(`select fleet.drop_partitions('metrics_sample', ?)`, [date(rawFrom)]);
    await em.execute(`select fleet.drop_partitions('metrics_hourly', ?)`, [
      date(now.getTime() - keptMs.hourly),
    ]);
    await em.execute(`delete from fleet.metrics_daily where day < ?`, [
      new Date(now.getTime() - keptMs.daily),
    ]);
    return 'done';
  },
};

/** The day in UTC that the time is in. */
function date(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}
