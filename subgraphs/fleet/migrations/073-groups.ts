import { migration, type AreaMigration } from '#platform/database/migrate.js';
import { tenantTableSql } from '#platform/database/row-level-security.js';

/** Groups of instances, and the times in which commands may or may not begin on them. */
export const groupsMigration: AreaMigration = migration(
  '073_groups',
  `create table fleet.instance_group (
    tenant_id text not null,
    id text not null,
    name text not null,
    kind text not null check (kind in ('STATIC', 'LIVE')),
    filter jsonb,
    created_by text not null,
    created_at timestamptz not null,
    primary key (tenant_id, id),
    check ((kind = 'LIVE') = (filter is not null))
  )`,
  `create unique index instance_group_name on fleet.instance_group (tenant_id, lower(name))`,
  ...tenantTableSql('fleet', 'instance_group'),

  `create table fleet.instance_group_member (
    tenant_id text not null,
    group_id text not null,
    instance_id text not null,
    primary key (tenant_id, group_id, instance_id)
  )`,
  `create index instance_group_member_instance on fleet.instance_group_member (tenant_id, instance_id)`,
  ...tenantTableSql('fleet', 'instance_group_member'),
  // Beats leave tags alone, so that their updates stay HOT.
  `create index instance_tags on fleet.instance using gin (tags)`,

  `create table fleet.maintenance_window (
    tenant_id text not null,
    id text not null,
    name text not null,
    effect text not null check (effect in ('ALLOW', 'DENY')),
    group_id text,
    starts_at timestamptz not null,
    duration_minutes integer not null check (duration_minutes > 0),
    repeats text not null check (repeats in ('NEVER', 'DAILY', 'WEEKLY')),
    created_by text not null,
    created_at timestamptz not null,
    primary key (tenant_id, id)
  )`,
  `create index maintenance_window_group on fleet.maintenance_window (tenant_id, group_id)`,
  ...tenantTableSql('fleet', 'maintenance_window'),
  `alter table fleet.command add column ignores_windows boolean not null default false`,
);
