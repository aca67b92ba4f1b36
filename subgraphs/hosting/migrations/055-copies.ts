import { migration, type AreaMigration } from '#platform/database/migrate.js';
import { copyTableSql } from '#platform/erasure/copy.sql.js';

/** Exports of tenants that live. */
export const copiesMigration: AreaMigration = migration('055_copies', ...copyTableSql('hosting'));
