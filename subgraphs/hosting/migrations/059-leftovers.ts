import { migration, type AreaMigration } from '#platform/database/migrate.js';

/** What stays at the provider of what was attached to a server that is deleted. */
export const leftoversMigration: AreaMigration = migration(
  '059_leftovers',
  `alter table hosting.server add column leftovers jsonb not null default '[]'`,
);
