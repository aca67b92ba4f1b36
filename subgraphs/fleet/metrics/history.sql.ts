import type { ReadValue } from '#platform/database/one-message.js';

import { MetricsSource } from './history-range.js';
import {
  p95OfSamples,
  ratedSamples,
  rollupColumns,
  rollupOfRollups,
  rollupOfSamples,
  sketchColumns,
  sketchesOfRollups,
  sketchesOfSamples,
} from './metrics.sql.js';
import type { Sketch } from './sketch.js';

/** A bucket that has samples. */
export interface HistoryRow {
  /** Its start. */
  bucket: Date | string;
  samples: number;
  /** Null where it is from when every sample had it. */
  cpu_count: number | null;
  cpu_sum: number | null;
  cpu_min: number | null;
  cpu_max: number | null;
  memory_count: number | null;
  memory_sum: number | null;
  memory_min: number | null;
  memory_max: number | null;
  disk_count: number | null;
  disk_sum: number | null;
  disk_min: number | null;
  disk_max: number | null;
  net_count: number;
  net_sum: number | null;
  net_min: number | null;
  net_max: number | null;
  /** Of raw samples, where percentiles were asked for. */
  cpu_p95?: number | null;
  memory_p95?: number | null;
  disk_p95?: number | null;
  net_p95?: number | null;
  /** Of rollups, where percentiles were asked for. */
  cpu_sketch?: Sketch | null;
  memory_sketch?: Sketch | null;
  disk_sketch?: Sketch | null;
  net_sketch?: Sketch | null;
}

export interface HistoryOf {
  tenantId: string;
  instanceId: string;
  from: Date;
  to: Date;
  bucketSeconds: number;
  /** How far back the sample may be that a network rate counts from. */
  reachMs: number;
  isWithPercentiles: boolean;
}

// On integers all the way: numerics cost several times as much.
const bucket = (time: string) => `date_bin(:length, ${time}, timestamptz 'epoch') as bucket`;

const within = (time: string) =>
  `tenant_id = :tenant and instance_id = :instance and ${time} >= :low and ${time} < :high`;

interface Parts {
  columns: string;
  ofRaw: string;
  ofSamples: string;
  ofRollups: string;
}

function statements(parts: Parts): Readonly<Record<MetricsSource, string>> {
  const fromRaw = `select ${bucket('at')}, ${parts.ofRaw}
    from ${ratedSamples({ tenant: ':tenant', instance: ':instance', from: ':low', to: ':high', reach: ':reach', early: ':early' })} s
    group by 1`;

  // Hours that are not rolled up yet, or whose rollup a late sample has overtaken, straight from the samples.
  const dirtyHours = `dirty as (select tenant_id, instance_id, hour from fleet.metrics_dirty where ${within('hour')}),
    tail as (
      select d.hour, r.*
      from dirty d cross join lateral (
        select ${parts.ofSamples} from ${ratedSamples({
          tenant: 'd.tenant_id',
          instance: 'd.instance_id',
          from: 'd.hour',
          to: `d.hour + interval '1 hour'`,
          reach: ':reach',
        })} s
      ) r
      where r.samples > 0
    )`;

  // Of an hour's rollup and its samples, the one that knows more: raw samples may be past their time.
  const newest = (
    time: string,
    rollups: string,
    remade: string,
  ) => `select distinct on (${time}) ${time}, ${parts.columns}
    from (${rollups} union all ${remade}) both_tiers order by ${time}, samples desc`;

  const fromHours = `with ${dirtyHours}, hours as (${newest(
    'hour',
    `select hour, ${parts.columns} from fleet.metrics_hourly where ${within('hour')}`,
    `select hour, ${parts.columns} from tail`,
  )})
    select ${bucket('hour')}, ${parts.ofRollups} from hours group by 1`;

  const fromDays = `with ${dirtyHours},
    dirty_days as (
      select distinct tenant_id, instance_id, date_trunc('day', hour, 'UTC') as day from dirty
    ),
    hours as (${newest(
      'hour',
      `select h.hour, ${parts.columns} from dirty_days d join fleet.metrics_hourly h on h.tenant_id = d.tenant_id
        and h.instance_id = d.instance_id and h.hour >= d.day and h.hour < d.day + interval '1 day'`,
      `select hour, ${parts.columns} from tail`,
    )}),
    days as (${newest(
      'day',
      `select day, ${parts.columns} from fleet.metrics_daily where ${within('day')}`,
      `select date_trunc('day', hour, 'UTC') as day, ${parts.ofRollups} from hours group by 1`,
    )})
    select ${bucket('day')}, ${parts.columns} from days`;

  return {
    [MetricsSource.RAW]: fromRaw,
    [MetricsSource.HOURLY]: fromHours,
    [MetricsSource.DAILY]: fromDays,
  };
}

const bands = statements({
  columns: rollupColumns,
  ofRaw: rollupOfSamples,
  ofSamples: rollupOfSamples,
  ofRollups: rollupOfRollups,
});
const bandsAndPercentiles = statements({
  columns: `${rollupColumns}, ${sketchColumns}`,
  ofRaw: `${rollupOfSamples}, ${p95OfSamples}`,
  ofSamples: `${rollupOfSamples}, ${sketchesOfSamples}`,
  ofRollups: `${rollupOfRollups}, ${sketchesOfRollups}`,
});

/** The buckets that have samples, and the statement's parameters. */
export function historySql(source: MetricsSource, of: HistoryOf): [sql: string, values: ReadValue[]] {
  const types = {
    tenant: [of.tenantId, 'text'],
    instance: [of.instanceId, 'text'],
    low: [of.from, 'timestamptz'],
    high: [of.to, 'timestamptz'],
    length: [`${of.bucketSeconds} seconds`, 'interval'],
    reach: [`${of.reachMs} milliseconds`, 'interval'],
    early: [new Date(of.from.getTime() - of.reachMs), 'timestamptz'],
  } as const;
  const sql = of.isWithPercentiles ? bandsAndPercentiles : bands;
  const values: ReadValue[] = [];
  const text = sql[source].replace(
    /(?<!:):(tenant|instance|low|high|length|reach|early)\b/g,
    (_, name: string) => {
      const [value, type] = types[name as keyof typeof types];
      values.push(value);
      return `?::${type}`;
    },
  );
  return [text, values];
}
