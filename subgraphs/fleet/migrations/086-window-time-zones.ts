import { migration, type AreaMigration } from '#platform/database/migrate.js';

/** Maintenance windows come again in the local time of a zone; those from before stay in UTC, as they were. */
export const windowTimeZonesMigration: AreaMigration = migration(
  '086_window_time_zones',
  `alter table fleet.maintenance_window add column time_zone text not null default 'UTC'`,
);
