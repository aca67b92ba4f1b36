import { mandatoryPoliciesTableSql } from '#platform/admission/mandatory-policies.sql.js';
import { migration, type AreaMigration } from '#platform/database/migrate.js';

/**
 * Servers have tags; a budget is of one currency, since providers have theirs; deleted servers are found by their age; and
 * which tenants have mandatory policies is known here too.
 */
export const admissionMigration: AreaMigration = migration(
  '003_admission',
  `alter table hosting.server add column tags text[] not null default '{}'`,
  `create index server_deleted_at on hosting.server (deleted_at) where deleted_at is not null`,
  `alter table hosting.budget drop constraint budget_pkey, add primary key (tenant_id, currency)`,
  ...mandatoryPoliciesTableSql('hosting'),
);
