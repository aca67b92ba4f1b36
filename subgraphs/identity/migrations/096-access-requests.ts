import { migration, type AreaMigration } from '#platform/database/migrate.js';
import { tenantTableSql } from '#platform/database/row-level-security.js';

/** Access that a provider asks a client for. It is the client's to answer, and kept with what it has granted. */
export const accessRequestsMigration: AreaMigration = migration(
  '096_access_requests',
  `create table identity.delegation_request (
    tenant_id text not null references identity.tenant (id),
    id text not null,
    provider_id text not null,
    role text not null check (role in ('ADMIN', 'OPERATOR', 'BILLING', 'VIEWER')),
    expires_in_hours integer not null check (expires_in_hours > 0),
    reason text not null,
    requested_by text not null,
    requested_at timestamptz not null,
    expires_at timestamptz not null,
    decision text check (decision in ('APPROVED', 'DECLINED', 'WITHDRAWN')),
    decided_at timestamptz check ((decided_at is null) = (decision is null)),
    decided_by text,
    delegation_id text,
    primary key (tenant_id, id)
  )`,
  `create index delegation_request_provider on identity.delegation_request (provider_id, id)`,
  ...tenantTableSql('identity', 'delegation_request', { app: ['select', 'insert', 'update'] }),
  // The provider sees what it has asked for. What it changes of it, it changes as the client.
  `create policy provider on identity.delegation_request for select to identity_app
    using (provider_id = nullif(current_setting('app.tenant_id', true), ''))`,
);
