import { migration, type AreaMigration } from '#platform/database/migrate.js';

/** A version comes to many instances by one canary after the other: which ones there were before `canary_id`. */
export const gitOpsCanariesMigration: AreaMigration = migration(
  '021_gitops_canaries',
  `alter table governance.gitops_resource add column earlier_canaries jsonb not null default '[]'`,
);
