import { migration, type AreaMigration } from '#platform/database/migrate.js';

const columns = ['cpu', 'memory', 'disk', 'net']
  .map((name) => `add column ${name}_sketch smallint[]`)
  .join(', ');

// A count that is too large for its place makes the sketch one of fewer values than there were, which tells nothing.
const most = 32_767;

/** Percentiles of rollups, from sketches as `metrics/sketch.ts` reads them. Rollups that were made before have none. */
export const metricsSketchesMigration: AreaMigration = migration(
  '082_metrics_sketches',
  // The logarithm of 1.02 / 0.98.
  `create function fleet.sketch(readings double precision[]) returns smallint[]
    language sql immutable parallel safe as $$
      select coalesce(array_agg(array[bucket, least(size, ${most})::smallint]), '{}')
      from (
        select case when r < 0.001 then -1000 else ceil(ln(r) / 0.040005334613699206)::smallint end as bucket,
          count(*) as size
        from unnest(readings) r where r is not null group by 1
      ) buckets $$`,
  // Sketches one behind the other tell the same, with buckets that come more than once.
  `create aggregate fleet.concatenated(smallint[]) (sfunc = pg_catalog.array_cat, stype = smallint[])`,
  `create function fleet.merged_sketch(pairs smallint[]) returns smallint[]
    language sql immutable parallel safe as $$
      select coalesce(array_agg(array[bucket, least(size, ${most})::smallint]), '{}')
      from (
        select pairs[at][1] as bucket, sum(pairs[at][2]) as size from generate_subscripts(pairs, 1) at group by 1
      ) buckets $$`,
  `alter table fleet.metrics_hourly ${columns}`,
  `alter table fleet.metrics_daily ${columns}`,
);
