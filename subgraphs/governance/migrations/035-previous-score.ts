import { migration, type AreaMigration } from '#platform/database/migrate.js';

/** The score of an instance before it, or its violations, last became others. */
export const previousScoreMigration: AreaMigration = migration(
  '035_previous_score',
  `alter table governance.node add column previous_score integer`,
);
