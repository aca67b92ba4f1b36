import { migration, type AreaMigration } from '#platform/database/migrate.js';

/** The hours of one instance together for its history; clocks that are off by any time; alerts that are told again. */
export const historyReadsMigration: AreaMigration = migration(
  '075_history_reads',
  `alter table fleet.instance alter column clock_shift_seconds type double precision`,
  // Hours are written of all instances and read of one: in the table each of its rows is on a page of its own. The index
  // has them side by side.
  `alter table fleet.metrics_hourly drop constraint metrics_hourly_pkey`,
  `alter table fleet.metrics_hourly add constraint metrics_hourly_pkey primary key (tenant_id, instance_id, hour)
    include (samples, cpu_sum, cpu_min, cpu_max, memory_sum, memory_min, memory_max, disk_sum, disk_min, disk_max,
      net_count, net_sum, net_min, net_max)`,
  // What fires and was told of is looked at anew: it may be told again from now on.
  `update fleet.alert set notify_at = coalesce(notify_at, now()) where status = 'FIRING' and told <> '{}'`,
);
