import { migration, type AreaMigration } from '#platform/database/migrate.js';

/** Since when a tenant is suspended: nothing is collected for its subscription meanwhile. */
export const suspendedTenantsMigration: AreaMigration = migration(
  '028_suspended_tenants',
  `alter table billing.subscription add column suspended_at timestamptz`,
);
