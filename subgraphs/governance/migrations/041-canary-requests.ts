import { migration, type AreaMigration } from '#platform/database/migrate.js';

/** Of a canary the request that had it begin or go on, for what its steps send later. */
export const canaryRequestsMigration: AreaMigration = migration(
  '041_canary_requests',
  'alter table governance.canary add column caused_by text',
);
