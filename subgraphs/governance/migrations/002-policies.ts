import { migration, type AreaMigration } from '#platform/database/migrate.js';
import { tenantTableSql } from '#platform/database/row-level-security.js';

/** Nodes as fleet tells of them, policies with their history, what holds where, and scores by day. */
export const policiesMigration: AreaMigration = migration(
  '002_policies',
  // `revision` goes up with whatever may change results without a fact of a node.
  `create table governance.standing (
    tenant_id text primary key,
    revision bigint not null default 0,
    pending_since timestamptz,
    refreshed_at timestamptz
  )`,
  ...tenantTableSql('governance', 'standing', { app: ['select', 'insert', 'update'] }),
  `create index standing_pending on governance.standing (pending_since) where pending_since is not null`,
  `create index standing_refreshed_at on governance.standing (refreshed_at nulls first)`,

  `create table governance.node (
    tenant_id text not null,
    id text not null,
    name text not null,
    tags text[] not null default '{}',
    facts jsonb not null default '{}',
    reported_at timestamptz,
    offline_since timestamptz,
    passed integer not null default 0,
    known integer not null default 0,
    applicable integer not null default 0,
    violations integer not null default 0,
    revision bigint not null default -1,
    evaluated_at timestamptz,
    due_at timestamptz,
    primary key (tenant_id, id)
  ) with (fillfactor = 85)`,
  ...tenantTableSql('governance', 'node', { app: ['select', 'update'] }),
  `create index node_revision on governance.node (tenant_id, revision)`,
  `create index node_due_at on governance.node (due_at, tenant_id) where due_at is not null`,
  `create index node_score on governance.node (tenant_id) include (passed, known, applicable, violations)`,

  `create table governance.policy (
    tenant_id text not null,
    id text not null,
    name text not null,
    type text not null,
    description text,
    resolution text,
    rule jsonb not null,
    enforcement text not null,
    severity text not null,
    applies_to jsonb not null,
    version integer not null,
    created_by text not null,
    created_at timestamptz not null,
    updated_by text not null,
    updated_at timestamptz not null,
    primary key (tenant_id, id)
  )`,
  `create unique index policy_name on governance.policy (tenant_id, lower(name))`,
  ...tenantTableSql('governance', 'policy'),

  // Outlives its policy: what held when is asked afterwards.
  `create table governance.policy_version (
    tenant_id text not null,
    policy_id text not null,
    version integer not null,
    name text not null,
    rule jsonb not null,
    enforcement text not null,
    severity text not null,
    applies_to jsonb not null,
    is_deleted boolean not null default false,
    changed_by text not null,
    changed_at timestamptz not null,
    primary key (tenant_id, policy_id, version)
  )`,
  ...tenantTableSql('governance', 'policy_version', { app: ['select', 'insert'] }),

  `create table governance.exemption (
    tenant_id text not null,
    id text not null,
    policy_id text not null,
    instance_id text not null,
    owner text not null,
    reason text not null,
    expires_at timestamptz,
    created_by text not null,
    created_at timestamptz not null,
    primary key (tenant_id, id),
    foreign key (tenant_id, policy_id) references governance.policy on delete cascade,
    foreign key (tenant_id, instance_id) references governance.node on delete cascade
  )`,
  `create unique index exemption_of on governance.exemption (tenant_id, policy_id, instance_id)`,
  `create index exemption_instance on governance.exemption (tenant_id, instance_id)`,
  ...tenantTableSql('governance', 'exemption'),

  `create table governance.result (
    tenant_id text not null,
    instance_id text not null,
    policy_id text not null,
    status text not null,
    evidence jsonb,
    is_enforced boolean not null,
    since timestamptz not null,
    primary key (tenant_id, instance_id, policy_id),
    foreign key (tenant_id, instance_id) references governance.node on delete cascade,
    foreign key (tenant_id, policy_id) references governance.policy on delete cascade
  )`,
  `create index result_policy on governance.result (tenant_id, policy_id, status, instance_id)`,
  ...tenantTableSql('governance', 'result'),

  `create table governance.score_day (
    tenant_id text not null,
    day date not null,
    passed integer not null,
    known integer not null,
    applicable integer not null,
    violations integer not null,
    instances integer not null,
    primary key (tenant_id, day)
  )`,
  `create index score_day_day on governance.score_day (day)`,
  ...tenantTableSql('governance', 'score_day', { app: ['select'] }),
);
