import { migration, type AreaMigration } from '#platform/database/migrate.js';
import { outboxTraceSql } from '#platform/outbox/outbox.sql.js';

/**
 * Events say in which trace they were written. Processes of the version before, which are at work meanwhile, lock a
 * repository's row first and write its event last; the next step changes that table in the same transaction.
 */
export const tracesMigration: AreaMigration = migration(
  '030_traces',
  'lock table governance.gitops_config in access exclusive mode',
  outboxTraceSql('governance'),
);
