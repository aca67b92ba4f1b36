import { migration, type AreaMigration } from '#platform/database/migrate.js';
import { tenantTableSql } from '#platform/database/row-level-security.js';
import { copyTableSql } from '#platform/erasure/copy.sql.js';

/** Owners export what their organization has, while it lives. */
export const organizationExportsMigration: AreaMigration = migration(
  '101_organization_exports',
  ...copyTableSql('identity'),
  `create table identity.organization_export (
    tenant_id text not null,
    id text not null,
    started_at timestamptz not null,
    completed_at timestamptz,
    expires_at timestamptz not null,
    report jsonb not null default '{}',
    is_cut boolean not null default false,
    primary key (tenant_id, id)
  )`,
  `create index organization_export_expires on identity.organization_export (expires_at)`,
  ...tenantTableSql('identity', 'organization_export', { app: ['select', 'insert', 'update'] }),
  `create table identity.organization_export_part (
    tenant_id text not null,
    export_id text not null,
    area text not null,
    source_table text not null,
    part integer not null,
    rows jsonb not null,
    primary key (tenant_id, export_id, area, source_table, part),
    foreign key (tenant_id, export_id) references identity.organization_export (tenant_id, id) on delete cascade
  )`,
  ...tenantTableSql('identity', 'organization_export_part', { app: ['select'] }),
);
