import { migration, type AreaMigration } from '#platform/database/migrate.js';

/** That a grant was ended is known before billing has decided on it. */
export const endedGrantsMigration: AreaMigration = migration(
  '103_ended_grants',
  `alter table identity.tenant add column grant_ended_version bigint`,
);
