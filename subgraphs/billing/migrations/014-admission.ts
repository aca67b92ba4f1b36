import { migration, type AreaMigration } from '#platform/database/migrate.js';
import { tenantTableSql } from '#platform/database/row-level-security.js';

/** Which tenants have mandatory policies is known here too. */
export const admissionMigration: AreaMigration = migration(
  '014_admission',
  `create table billing.mandatory_policies (
    tenant_id text primary key,
    version bigint not null,
    count integer not null
  )`,
  ...tenantTableSql('billing', 'mandatory_policies', { app: ['select'] }),
);
