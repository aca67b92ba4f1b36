import { migration } from '#platform/database/migrate.js';
import { entitlementTableSql } from '#platform/entitlement/entitlement.sql.js';

export const entitlementMigration = migration('003_entitlement', entitlementTableSql('fleet'));
