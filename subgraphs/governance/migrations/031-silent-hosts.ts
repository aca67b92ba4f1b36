import { migration, type AreaMigration } from '#platform/database/migrate.js';

/** Whether a repository's host said nothing when it was last asked; null before that. */
export const silentHostsMigration: AreaMigration = migration(
  '031_silent_hosts',
  `alter table governance.gitops_config add column is_host_silent boolean`,
);
