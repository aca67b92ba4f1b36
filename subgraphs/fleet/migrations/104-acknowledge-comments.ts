import { migration, type AreaMigration } from '#platform/database/migrate.js';

/** What whoever takes an alert up has to say of it. */
export const acknowledgeCommentsMigration: AreaMigration = migration(
  '104_acknowledge_comments',
  `alter table fleet.alert add column acknowledge_comment text`,
);
