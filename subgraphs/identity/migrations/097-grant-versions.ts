import { migration, type AreaMigration } from '#platform/database/migrate.js';

/** What ends a grant ends no later one: the version of the plan that an operator granted last. */
export const grantVersionsMigration: AreaMigration = migration(
  '097_grant_versions',
  `alter table identity.tenant add column grant_version bigint`,
);
