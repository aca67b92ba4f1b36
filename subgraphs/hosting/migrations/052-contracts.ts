import { migration, type AreaMigration } from '#platform/database/migrate.js';

/** hosting shows which processes are too old for the database. */
export const contractsMigration: AreaMigration = migration(
  '052_contracts',
  `grant select on platform.contract to hosting_app, hosting_jobs`,
);
