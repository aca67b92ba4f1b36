import { migration, type AreaMigration } from '#platform/database/migrate.js';

/** hosting keeps which servers the database has, and who was asked to lead it. */
export const haDatabaseMigration: AreaMigration = migration(
  '054_ha_database',
  `grant select on platform.database_member to hosting_app`,
  `grant select, insert, update, delete on platform.database_member to hosting_jobs`,
  `grant select, insert, update on platform.ha_switch to hosting_app`,
);
