import { migration, type AreaMigration } from '#platform/database/migrate.js';

/** What watches tell of a deployment while a call of the panel's for it is under way is kept until that has its answer. */
export const seenMeanwhileMigration: AreaMigration = migration(
  '021_seen_meanwhile',
  `alter table hosting.deployment add column seen_meanwhile jsonb`,
);
