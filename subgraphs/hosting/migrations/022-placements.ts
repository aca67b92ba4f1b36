import { migration, type AreaMigration } from '#platform/database/migrate.js';
import { tenantTableSql } from '#platform/database/row-level-security.js';

/** One deployment in several clusters, and how far it is in each. */
export const placementsMigration: AreaMigration = migration(
  '022_placements',
  `create table hosting.placement (
    tenant_id text not null,
    id text not null,
    version bigint not null default 1,
    namespace text not null,
    name text not null,
    image text not null,
    replicas integer not null,
    region text,
    tag text,
    partition_percent integer not null,
    most_failures integer not null,
    partition integer not null,
    partitions integer not null,
    status text not null,
    reason text,
    message text,
    sealed_desired text,
    -- When its next step is to be taken; null while it waits for people, and at its ends.
    due_at timestamptz,
    created_at timestamptz not null,
    created_by text not null,
    deleted_at timestamptz,
    primary key (tenant_id, id)
  )`,
  `create unique index placement_name on hosting.placement (tenant_id, namespace, name) where deleted_at is null`,
  `create index placement_listed on hosting.placement (tenant_id, id) where deleted_at is null`,
  `create index placement_due_at on hosting.placement (due_at) where due_at is not null`,
  `create index placement_deleted_at on hosting.placement (deleted_at) where deleted_at is not null`,
  ...tenantTableSql('hosting', 'placement'),

  `create table hosting.placement_target (
    tenant_id text not null,
    placement_id text not null,
    cluster_id text not null,
    deployment_id text,
    partition integer not null,
    status text not null,
    reason text,
    message text,
    started_at timestamptz,
    primary key (tenant_id, placement_id, cluster_id),
    foreign key (tenant_id, placement_id) references hosting.placement (tenant_id, id) on delete cascade,
    foreign key (tenant_id, cluster_id) references hosting.cluster (tenant_id, id) on delete cascade
  )`,
  `create index placement_target_cluster on hosting.placement_target (tenant_id, cluster_id)`,
  ...tenantTableSql('hosting', 'placement_target'),

  `alter table hosting.deployment add column placement_id text`,
);
