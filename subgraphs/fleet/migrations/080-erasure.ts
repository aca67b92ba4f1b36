import { migration, type AreaMigration } from '#platform/database/migrate.js';
import { erasureTableSql } from '#platform/erasure/erasure.sql.js';

/** Tenants are erased a little at a time. */
export const erasureMigration: AreaMigration = migration('080_erasure', ...erasureTableSql('fleet'));
