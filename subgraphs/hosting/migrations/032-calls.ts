import { migration, type AreaMigration } from '#platform/database/migrate.js';

/** Calls to clusters that jobs have under way are counted, so that no tenant has all of them. */
export const callsMigration: AreaMigration = migration(
  '032_calls',
  `alter table hosting.deployment add column calling_until timestamptz`,
  `create index deployment_calling on hosting.deployment (tenant_id, calling_until) where calling_until is not null`,
);
