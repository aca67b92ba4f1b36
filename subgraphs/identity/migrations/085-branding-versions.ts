import { migration, type AreaMigration } from '#platform/database/migrate.js';

/** Other areas are told of brandings, and have to know which of two is the newer one. */
export const brandingVersionsMigration: AreaMigration = migration(
  '085_branding_versions',
  `alter table identity.branding add column version bigint not null default 1`,
);
