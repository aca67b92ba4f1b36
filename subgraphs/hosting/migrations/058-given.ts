import { migration, type AreaMigration } from '#platform/database/migrate.js';

/** Since when a credential is kept, which may have been given anew long after what it is of was made. */
export const givenMigration: AreaMigration = migration(
  '058_given',
  `alter table hosting.cluster add column given_at timestamptz`,
  `alter table hosting.provider_account add column given_at timestamptz`,
);
