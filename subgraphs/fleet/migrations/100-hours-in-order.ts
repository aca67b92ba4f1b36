import { indexing, type AreaMigration } from '#platform/database/migrate.js';

/** All hours that wait to be rolled up are one and the same mostly: some hundred are read in order, not all of them each time. */
export const hoursInOrderMigration: AreaMigration = indexing(
  '100_hours_in_order',
  `create index metrics_dirty_in_order on fleet.metrics_dirty (hour, tenant_id, instance_id)`,
  `drop index fleet.metrics_dirty_hour`,
);
