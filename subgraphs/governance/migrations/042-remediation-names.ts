import { migration, type AreaMigration } from '#platform/database/migrate.js';

/** A remediation outlives its instance: it keeps what that was called. */
export const remediationNamesMigration: AreaMigration = migration(
  '042_remediation_names',
  `alter table governance.remediation add column instance_name text`,
);
