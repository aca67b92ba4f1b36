import { migration, type AreaMigration } from '#platform/database/migrate.js';
import { tenantTableSql } from '#platform/database/row-level-security.js';

/** Access to a client's tenant that the client has granted to its provider. */
export const delegationMigration: AreaMigration = migration(
  '078_delegation',
  `create table identity.delegation (
    tenant_id text not null references identity.tenant (id),
    id text not null,
    provider_id text not null,
    role text not null check (role in ('ADMIN', 'OPERATOR', 'BILLING', 'VIEWER')),
    reason text,
    granted_by text not null,
    granted_at timestamptz not null,
    expires_at timestamptz not null,
    revoked_at timestamptz,
    last_used_at timestamptz,
    primary key (tenant_id, id)
  )`,
  `create index delegation_provider on identity.delegation (provider_id, id)`,
  `create index delegation_revoked on identity.delegation (revoked_at) where revoked_at is not null`,
  ...tenantTableSql('identity', 'delegation', { app: ['select', 'insert', 'update'] }),
  // The provider sees what it was granted, and changes nothing about it.
  `create policy provider on identity.delegation for select to identity_app
    using (provider_id = nullif(current_setting('app.tenant_id', true), ''))`,
);
