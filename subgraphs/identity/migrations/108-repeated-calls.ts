import { migration, type AreaMigration } from '#platform/database/migrate.js';
import { idempotencyTableSql } from '#platform/idempotency/idempotency.sql.js';

/** The answers of what is done once, however often it is sent. */
export const repeatedCallsMigration: AreaMigration = migration(
  '108_repeated_calls',
  ...idempotencyTableSql('identity'),
);
