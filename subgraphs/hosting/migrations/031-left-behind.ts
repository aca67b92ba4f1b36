import { migration, type AreaMigration } from '#platform/database/migrate.js';

/** Servers that were let go of when a token of another project was connected are none that a token has to show. */
export const leftBehindMigration: AreaMigration = migration(
  '031_left_behind',
  'alter table hosting.server add column left_behind boolean not null default false',
);
