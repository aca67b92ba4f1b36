import { migration, type AreaMigration } from '#platform/database/migrate.js';

/** Tenants that were closed subscribe to nothing any more. */
export const closedTenantsMigration: AreaMigration = migration(
  '023_closed_tenants',
  `alter table billing.subscription add column closed_at timestamptz`,
);
