import { migration, type AreaMigration } from '#platform/database/migrate.js';

const metrics = ['cpu', 'memory', 'disk'];
const nullable = (columns: readonly string[]) =>
  columns.map((column) => `alter column ${column} drop not null`).join(', ');
const percents = nullable(metrics.map((name) => `${name}_percent`));
const bands = nullable(metrics.flatMap((name) => [`${name}_sum`, `${name}_min`, `${name}_max`]));
const counts = metrics.map((name) => `add column ${name}_count integer`).join(', ');

/** Partitions were made like their parent and keep what they were made with. */
const ofPartitions = (parent: string, change: string) => `do $$
  declare part regclass;
  begin
    for part in select inhrelid::regclass from pg_inherits where inhparent = 'fleet.${parent}'::regclass loop
      execute format('alter table %s ${change}', part);
    end loop;
  end $$`;

/**
 * What nodes report counts even when a part of it does not: a sample may lack a metric, and a rollup counts each by
 * itself (null in rollups from before, when each sample had all). Exit codes of Windows are unsigned.
 */
export const reportsMigration: AreaMigration = migration(
  '087_reports',
  // Not indexed, so that beats stay HOT updates.
  `alter table fleet.instance add column other_sequence bigint`,
  `alter table fleet.metrics_sample ${percents}`,
  ofPartitions('metrics_sample', percents),
  `alter table fleet.metrics_hourly ${counts}, ${bands}`,
  ofPartitions('metrics_hourly', bands),
  `alter table fleet.metrics_daily ${counts}, ${bands}`,
  `alter table fleet.command_invocation
    alter column exit_code type bigint,
    add column output_truncated boolean not null default false`,
);
