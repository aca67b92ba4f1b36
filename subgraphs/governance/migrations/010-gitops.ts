import { migration, type AreaMigration } from '#platform/database/migrate.js';
import { tenantTableSql } from '#platform/database/row-level-security.js';

/** Repositories that declare what tenants have, what came of each commit, and what of the tenant is of which repository. */
export const gitOpsMigration: AreaMigration = migration(
  '010_gitops',
  // `requests` goes up with each wish of a person or a webhook: whoever began before it has not fulfilled it.
  `create table governance.gitops_config (
    tenant_id text not null,
    id text not null,
    name text not null,
    repo_url text not null,
    branch text not null,
    path text not null,
    auto_sync boolean not null,
    self_heal boolean not null,
    prune boolean not null,
    is_paused boolean not null,
    sync_interval_seconds integer not null,
    credential_kind text,
    sealed_credential text,
    sealed_webhook_secret text,
    sync_status text not null,
    health text not null,
    last_seen_commit text,
    declared_commit text,
    declared jsonb not null,
    last_synced_commit text,
    last_synced_at timestamptz,
    last_checked_at timestamptz,
    changes jsonb not null,
    problems jsonb not null,
    is_rewritten boolean not null default false,
    applied_commit text,
    refusals jsonb not null default '{}',
    looking_by text,
    looking_until timestamptz,
    requests integer not null default 0,
    wanted_sync jsonb,
    next_check_at timestamptz,
    created_by text not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (tenant_id, id)
  )`,
  // Webhooks name it by its id alone.
  `create unique index gitops_config_id on governance.gitops_config (id)`,
  `create unique index gitops_config_name on governance.gitops_config (tenant_id, lower(name))`,
  `create index gitops_config_next_check_at on governance.gitops_config (next_check_at, tenant_id)
     where next_check_at is not null`,
  ...tenantTableSql('governance', 'gitops_config'),

  `create table governance.gitops_commit (
    tenant_id text not null,
    config_id text not null,
    sha text not null,
    author text not null,
    subject text not null,
    authored_at timestamptz not null,
    seen_at timestamptz not null,
    position bigint generated always as identity,
    outcome text not null,
    changed integer not null default 0,
    synced_at timestamptz,
    problems jsonb not null,
    primary key (tenant_id, config_id, sha),
    foreign key (tenant_id, config_id) references governance.gitops_config on delete cascade
  )`,
  `create index gitops_commit_seen on governance.gitops_commit (tenant_id, config_id, position desc)`,
  ...tenantTableSql('governance', 'gitops_commit'),

  // One thing of the tenant is of one repository at most.
  `create table governance.gitops_resource (
    tenant_id text not null,
    kind text not null,
    key text not null,
    config_id text not null,
    name text not null,
    canary_id text,
    since timestamptz not null,
    primary key (tenant_id, kind, key),
    foreign key (tenant_id, config_id) references governance.gitops_config on delete cascade
  )`,
  `create index gitops_resource_config on governance.gitops_resource (tenant_id, config_id)`,
  ...tenantTableSql('governance', 'gitops_resource'),
);
