import { migration, type AreaMigration } from '#platform/database/migrate.js';
import { entitlementReadOnlySql } from '#platform/entitlement/entitlement.sql.js';
import { usageHourSql } from '#platform/metering/usage.sql.js';

/** Plans may be read-only, and use is told to billing. */
export const billingMigration: AreaMigration = migration(
  '089_billing',
  [entitlementReadOnlySql('fleet')],
  usageHourSql('fleet'),
);
