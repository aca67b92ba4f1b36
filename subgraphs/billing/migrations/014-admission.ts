import { mandatoryPoliciesTableSql } from '#platform/admission/mandatory-policies.sql.js';
import { migration, type AreaMigration } from '#platform/database/migrate.js';

/** Which tenants have mandatory policies is known here too. */
export const admissionMigration: AreaMigration = migration(
  '014_admission',
  ...mandatoryPoliciesTableSql('billing'),
);
