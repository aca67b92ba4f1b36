import { MetricsSource } from './history-range.js';
import { ratedSamples, rollupColumns, rollupOfRollups, rollupOfSamples } from './metrics.sql.js';

/** A bucket that has samples. */
export interface HistoryRow {
  /** Its start. */
  bucket: Date | string;
  samples: number;
  cpu_sum: number;
  cpu_min: number;
  cpu_max: number;
  memory_sum: number;
  memory_min: number;
  memory_max: number;
  disk_sum: number;
  disk_min: number;
  disk_max: number;
  net_count: number;
  net_sum: number | null;
  net_min: number | null;
  net_max: number | null;
}

export interface HistoryOf {
  tenantId: string;
  instanceId: string;
  from: Date;
  to: Date;
  bucketSeconds: number;
  /** How far back the sample may be that a network rate counts from. */
  reachMs: number;
}

// On integers all the way: numerics cost several times as much.
const bucket = (time: string) => `date_bin(:length, ${time}, timestamptz 'epoch') as bucket`;

const within = (time: string) =>
  `tenant_id = :tenant and instance_id = :instance and ${time} >= :low and ${time} < :high`;

const fromRaw = `select ${bucket('at')}, ${rollupOfSamples}
  from ${ratedSamples({ tenant: ':tenant', instance: ':instance', from: ':low', to: ':high', reach: ':reach', early: ':early' })} s
  group by 1`;

// Hours that are not rolled up yet, or whose rollup a late sample has overtaken, straight from the samples.
const dirtyHours = `dirty as (select tenant_id, instance_id, hour from fleet.metrics_dirty where ${within('hour')}),
  tail as (
    select d.hour, r.*
    from dirty d cross join lateral (
      select ${rollupOfSamples} from ${ratedSamples({
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
) => `select distinct on (${time}) ${time}, ${rollupColumns}
  from (${rollups} union all ${remade}) both_tiers order by ${time}, samples desc`;

const fromHours = `with ${dirtyHours}, hours as (${newest(
  'hour',
  `select hour, ${rollupColumns} from fleet.metrics_hourly where ${within('hour')}`,
  `select hour, ${rollupColumns} from tail`,
)})
  select ${bucket('hour')}, ${rollupOfRollups} from hours group by 1`;

const fromDays = `with ${dirtyHours},
  dirty_days as (
    select distinct tenant_id, instance_id, date_trunc('day', hour, 'UTC') as day from dirty
  ),
  hours as (${newest(
    'hour',
    `select h.hour, ${rollupColumns} from dirty_days d join fleet.metrics_hourly h on h.tenant_id = d.tenant_id
      and h.instance_id = d.instance_id and h.hour >= d.day and h.hour < d.day + interval '1 day'`,
    `select hour, ${rollupColumns} from tail`,
  )}),
  days as (${newest(
    'day',
    `select day, ${rollupColumns} from fleet.metrics_daily where ${within('day')}`,
    `select date_trunc('day', hour, 'UTC') as day, ${rollupOfRollups} from hours group by 1`,
  )})
  select ${bucket('day')}, ${rollupColumns} from days`;

/** The buckets that have samples, and the statement's parameters. */
export function historySql(source: MetricsSource, of: HistoryOf): [sql: string, values: unknown[]] {
  const types = {
    tenant: [of.tenantId, 'text'],
    instance: [of.instanceId, 'text'],
    low: [of.from, 'timestamptz'],
    high: [of.to, 'timestamptz'],
    length: [`${of.bucketSeconds} seconds`, 'interval'],
    reach: [`${of.reachMs} milliseconds`, 'interval'],
    early: [new Date(of.from.getTime() - of.reachMs), 'timestamptz'],
  } as const;
  const sql = {
    [MetricsSource.RAW]: fromRaw,
    [MetricsSource.HOURLY]: fromHours,
    [MetricsSource.DAILY]: fromDays,
  };
  const values: unknown[] = [];
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
