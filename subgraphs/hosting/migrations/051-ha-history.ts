import { migration, type AreaMigration } from '#platform/database/migrate.js';

/** hosting forgets what it has kept of who led and of upgrades. */
export const haHistoryMigration: AreaMigration = migration(
  '051_ha_history',
  `grant delete on platform.ha_change, platform.upgrade to hosting_jobs`,
);
