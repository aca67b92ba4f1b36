import { indexing, type AreaMigration } from '#platform/database/migrate.js';

/** Licences are forgotten some time after their node has left the fleet. */
export const freedLicencesMigration: AreaMigration = indexing(
  '021_freed_licences',
  `create index licence_freed_at on billing.licence (freed_at) where freed_at is not null`,
);
