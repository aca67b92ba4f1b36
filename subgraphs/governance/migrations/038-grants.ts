import { migration, type AreaMigration } from '#platform/database/migrate.js';
import { tenantTableSql } from '#platform/database/row-level-security.js';

/** What a provider's user set up under a grant ends with it: repositories are paused, and say why. */
export const grantsMigration: AreaMigration = migration(
  '038_grants',
  `alter table governance.gitops_config
    add column grant_id text,
    add column grant_ends_at timestamptz,
    add column paused_reason text`,
  `create index gitops_config_grant on governance.gitops_config (tenant_id, grant_id) where grant_id is not null`,
  `create index gitops_config_grant_ends_at on governance.gitops_config (grant_ends_at)
    where grant_ends_at is not null`,

  // Which grants have ended lately: a repository that is just being made under one must not stay.
  `create table governance.ended_grant (
    tenant_id text not null,
    id text not null,
    ended_at timestamptz not null,
    primary key (tenant_id, id)
  )`,
  `create index ended_grant_ended_at on governance.ended_grant (ended_at)`,
  ...tenantTableSql('governance', 'ended_grant', { app: ['select'] }),
);
