import { migration, type AreaMigration } from '#platform/database/migrate.js';

/**
 * What keeps a node's samples in their places while its clock is off, a failing rollup out of the others' way, and the
 * hours of one instance together for its history.
 */
export const heartbeatsMigration: AreaMigration = migration(
  '075_heartbeats',
  // What is taken off the timestamps of a node's samples. Not indexed, so that beats stay HOT updates.
  `alter table fleet.instance add column clock_shift_seconds double precision not null default 0`,
  // An hour that could not be rolled up waits until then.
  `alter table fleet.metrics_dirty add column held_until timestamptz`,
  // Hours are written of all instances and read of one: in the table each of its rows is on a page of its own. The index
  // has them side by side.
  `alter table fleet.metrics_hourly drop constraint metrics_hourly_pkey`,
  `alter table fleet.metrics_hourly add constraint metrics_hourly_pkey primary key (tenant_id, instance_id, hour)
    include (samples, cpu_sum, cpu_min, cpu_max, memory_sum, memory_min, memory_max, disk_sum, disk_min, disk_max,
      net_count, net_sum, net_min, net_max)`,
);
