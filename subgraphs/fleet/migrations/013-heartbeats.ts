import { migration, type AreaMigration } from '#platform/database/migrate.js';

/** What keeps a node's samples in their places while its clock is off, and a failing rollup out of the others' way. */
export const heartbeatsMigration: AreaMigration = migration(
  '013_heartbeats',
  // What is taken off the timestamps of a node's samples. Not indexed, so that beats stay HOT updates.
  `alter table fleet.instance add column clock_shift_seconds integer not null default 0`,
  // An hour that could not be rolled up waits until then.
  `alter table fleet.metrics_dirty add column held_until timestamptz`,
);
