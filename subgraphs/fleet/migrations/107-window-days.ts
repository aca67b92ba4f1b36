import { migration, type AreaMigration } from '#platform/database/migrate.js';

/** Maintenance windows come again on several days of a week, or on a weekday of each month, and may end. */
export const windowDaysMigration: AreaMigration = migration(
  '107_window_days',
  `alter table fleet.maintenance_window
     add column days jsonb,
     add column week_of_month integer check (week_of_month in (1, 2, 3, 4, -1)),
     add column ends_at timestamptz,
     drop constraint maintenance_window_repeats_check,
     add check (repeats in ('NEVER', 'DAILY', 'WEEKLY', 'MONTHLY'))`,
);
