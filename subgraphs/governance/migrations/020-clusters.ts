import { migration, type AreaMigration } from '#platform/database/migrate.js';
import { tenantTableSql } from '#platform/database/row-level-security.js';

/** Kubernetes clusters as hosting tells of them, and which policies hold there. */
export const clustersMigration: AreaMigration = migration(
  '020_clusters',
  `create table governance.cluster (
    tenant_id text not null,
    id text not null,
    version bigint not null,
    name text not null,
    tags text[] not null,
    facts jsonb not null,
    -- Since when it does not answer; null while it does.
    offline_since timestamptz,
    passed integer not null default 0,
    known integer not null default 0,
    applicable integer not null default 0,
    violations integer not null default 0,
    evaluated_at timestamptz,
    due_at timestamptz,
    primary key (tenant_id, id)
  )`,
  `create index cluster_due_at on governance.cluster (due_at, tenant_id) where due_at is not null`,
  ...tenantTableSql('governance', 'cluster', { app: ['select', 'update'] }),

  `create table governance.cluster_result (
    tenant_id text not null,
    cluster_id text not null,
    policy_id text not null,
    status text not null,
    evidence jsonb,
    since timestamptz not null,
    primary key (tenant_id, cluster_id, policy_id),
    foreign key (tenant_id, cluster_id) references governance.cluster on delete cascade,
    foreign key (tenant_id, policy_id) references governance.policy on delete cascade
  )`,
  `create index cluster_result_policy on governance.cluster_result (tenant_id, policy_id, status)`,
  ...tenantTableSql('governance', 'cluster_result'),
);
