import { migration, type AreaMigration } from '#platform/database/migrate.js';
import { tenantTableSql } from '#platform/database/row-level-security.js';

/** Kubernetes clusters, and the deployments in them. */
export const kubernetesMigration: AreaMigration = migration(
  '020_kubernetes',
  `create table hosting.cluster (
    tenant_id text not null,
    id text not null,
    version bigint not null default 1,
    name text not null,
    provider text not null,
    region text not null,
    tags text[] not null default '{}',
    -- Where it is and who it is: the uid of its namespace kube-system.
    server_url text not null,
    identity text not null,
    -- Null once the cluster is removed.
    sealed_credential text,
    -- Rises with each credential, so that whoever watches takes the new one.
    credential_number integer not null default 1,
    credential_expires_at timestamptz,
    kubernetes_version text not null,
    nodes integer not null,
    nodes_ready integer not null,
    cpu_cores double precision not null,
    memory_gb double precision not null,
    status text not null,
    reason text,
    message text,
    last_seen_at timestamptz not null,
    created_at timestamptz not null,
    created_by text not null,
    deleted_at timestamptz,
    -- Which process watches it, until when (by the database's clock), and how often that changed hands.
    watcher text,
    watcher_until timestamptz,
    watch_epoch bigint not null default 0,
    -- Where a watch of its deployments goes on; null where they have to be listed first.
    resource_version text,
    primary key (tenant_id, id)
  )`,
  `create unique index cluster_name on hosting.cluster (tenant_id, lower(name)) where deleted_at is null`,
  `create unique index cluster_identity on hosting.cluster (tenant_id, identity) where deleted_at is null`,
  `create index cluster_watcher_until on hosting.cluster (watcher_until nulls first) where deleted_at is null`,
  `create index cluster_watcher on hosting.cluster (watcher) where watcher is not null`,
  `create index cluster_deleted_at on hosting.cluster (deleted_at) where deleted_at is not null`,
  ...tenantTableSql('hosting', 'cluster'),

  `create table hosting.deployment (
    tenant_id text not null,
    id text not null,
    version bigint not null default 1,
    cluster_id text not null,
    namespace text not null,
    name text not null,
    -- The cluster's own id of it, and the version in which it was last seen there; null before it was.
    uid text,
    resource_version text,
    is_managed boolean not null,
    image text not null,
    replicas integer not null,
    ready_replicas integer not null default 0,
    updated_replicas integer not null default 0,
    available_replicas integer not null default 0,
    status text not null,
    reason text,
    message text,
    -- What the panel applies; null of those that others made. Environments have secrets in them.
    sealed_desired text,
    -- When what is desired is to be applied once more, because nobody knows whether it was.
    due_at timestamptz,
    failures integer not null default 0,
    created_at timestamptz not null,
    deleted_at timestamptz,
    primary key (tenant_id, id),
    foreign key (tenant_id, cluster_id) references hosting.cluster (tenant_id, id) on delete cascade
  )`,
  `create unique index deployment_name on hosting.deployment (tenant_id, cluster_id, namespace, name) where deleted_at is null`,
  `create index deployment_listed on hosting.deployment (tenant_id, id) where deleted_at is null`,
  `create index deployment_of_cluster on hosting.deployment (tenant_id, cluster_id, id)`,
  `create index deployment_due_at on hosting.deployment (due_at) where due_at is not null`,
  `create index deployment_deleted_at on hosting.deployment (deleted_at) where deleted_at is not null`,
  ...tenantTableSql('hosting', 'deployment'),
);
