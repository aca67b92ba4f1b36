import { migration, type AreaMigration } from '#platform/database/migrate.js';

const columns = ['cpu', 'memory', 'disk', 'net']
  .map((name) => `add column ${name}_sketch smallint[]`)
  .join(', ');

/** Pairs of buckets and their sizes. One that holds more than a smallint can say comes several times. */
const pairsOf = (buckets: string) =>
  `select coalesce(array_agg(array[bucket, least(size - part * 32767, 32767)::smallint]), '{}')
   from (${buckets}) buckets cross join lateral generate_series(0, (size - 1) / 32767) part`;

/** Percentiles of rollups, from sketches as `metrics/sketch.ts` reads them. Rollups that were made before have none. */
export const metricsSketchesMigration: AreaMigration = migration(
  '082_metrics_sketches',
  // The logarithm of 1.02 / 0.98. What is no number, or too large for one, is beyond the largest one's bucket.
  `create function fleet.sketch(readings double precision[]) returns smallint[]
    language sql immutable parallel safe as $$ ${pairsOf(
      `select (case when r < 0.001 then -1000 when r < 'Infinity' then ceil(ln(r) / 0.040005334613699206)
           else 18000 end)::smallint as bucket, count(*)::int as size
         from unnest(readings) r where r is not null group by 1`,
    )} $$`,
  // Sketches one behind the other tell the same, with buckets that come more than once.
  `create aggregate fleet.concatenated(smallint[]) (sfunc = pg_catalog.array_cat, stype = smallint[])`,
  `create function fleet.merged_sketch(pairs smallint[]) returns smallint[]
    language sql immutable parallel safe as $$ ${pairsOf(
      `select pairs[at][1] as bucket, sum(pairs[at][2])::int as size from generate_subscripts(pairs, 1) at group by 1`,
    )} $$`,
  `alter table fleet.metrics_hourly ${columns}`,
  `alter table fleet.metrics_daily ${columns}`,
);
