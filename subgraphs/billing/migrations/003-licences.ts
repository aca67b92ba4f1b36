import { migration, type AreaMigration } from '#platform/database/migrate.js';
import { tenantTableSql } from '#platform/database/row-level-security.js';

/** One licence for each node. What it says is kept; it is signed when it is read, always to the same bytes. */
export const licencesMigration: AreaMigration = migration(
  '003_licences',
  `create table billing.licence (
    tenant_id text not null,
    id text not null,
    instance_id text not null,
    plan text not null,
    features text[] not null,
    issued_at timestamptz not null,
    expires_at timestamptz not null,
    freed_at timestamptz,
    primary key (tenant_id, id)
  )`,
  `create unique index licence_instance on billing.licence (tenant_id, instance_id)`,
  `create index licence_expires_at on billing.licence (expires_at) where freed_at is null`,
  ...tenantTableSql('billing', 'licence', { app: ['select'] }),
);
