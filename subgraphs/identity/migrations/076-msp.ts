import { migration, type AreaMigration } from '#platform/database/migrate.js';
import { tenantTableSql } from '#platform/database/row-level-security.js';

/** Tenants that a provider manages, their suspension and their end. */
export const mspMigration: AreaMigration = migration(
  '076_msp',
  `alter table identity.tenant
    add column parent_tenant_id text,
    add column client_version bigint not null default 0,
    add column suspended_at timestamptz,
    add column restored_at timestamptz`,
  `create index tenant_suspended on identity.tenant (id) where suspended_at is not null`,
  `create index tenant_restored on identity.tenant (restored_at) where restored_at is not null`,

  // A provider's record of a client, under the provider's own tenant id. The client's tenant follows it by events.
  `create table identity.msp_client (
    tenant_id text not null,
    id text not null,
    name text not null,
    contact_email text not null,
    instance_limit integer not null check (instance_limit >= 0),
    plan text not null check (plan in ('FREE', 'PRO', 'ENTERPRISE')),
    version bigint not null,
    instances_used integer not null default 0,
    created_at timestamptz not null,
    suspended_at timestamptz,
    erase_at timestamptz,
    primary key (tenant_id, id)
  )`,
  `create unique index msp_client_id on identity.msp_client (id)`,
  `create index msp_client_erase on identity.msp_client (erase_at) where erase_at is not null`,
  ...tenantTableSql('identity', 'msp_client', { app: ['select', 'insert', 'update'] }),

  // How many instances a tenant has, as fleet counts them.
  `create table identity.tenant_usage (
    tenant_id text primary key,
    version bigint not null,
    instances integer not null
  )`,
  ...tenantTableSql('identity', 'tenant_usage', { app: ['select'] }),

  // What became of clients that are gone, for the provider that had them.
  `create table identity.tenant_erasure (
    tenant_id text not null,
    id text not null,
    client_id text not null,
    client_name text not null,
    started_at timestamptz not null,
    completed_at timestamptz,
    report jsonb not null default '{}',
    primary key (tenant_id, id)
  )`,
  ...tenantTableSql('identity', 'tenant_erasure', { app: ['select'] }),
  `create table identity.tenant_export_part (
    tenant_id text not null,
    erasure_id text not null,
    area text not null,
    source_table text not null,
    part integer not null,
    rows jsonb not null,
    primary key (tenant_id, erasure_id, area, source_table, part),
    foreign key (tenant_id, erasure_id) references identity.tenant_erasure (tenant_id, id) on delete cascade
  )`,
  ...tenantTableSql('identity', 'tenant_export_part', { app: ['select'] }),
);
