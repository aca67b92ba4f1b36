import { migration, type AreaMigration } from '#platform/database/migrate.js';
import { tenantTableSql } from '#platform/database/row-level-security.js';

/** Groups as fleet tells of them, what decides who is in one, and what instances measure. */
export const groupsAndMetricsMigration: AreaMigration = migration(
  '011_groups_and_metrics',
  // `metrics` has what policies are about by its path, as of `metrics_at`.
  `alter table governance.node
    add column hostname text,
    add column status text,
    add column metrics jsonb not null default '{}',
    add column metrics_at timestamptz`,
  `create table governance.instance_group (
    tenant_id text not null,
    id text not null,
    name text not null,
    filter jsonb,
    primary key (tenant_id, id)
  )`,
  ...tenantTableSql('governance', 'instance_group', { app: ['select'] }),
  `create table governance.instance_group_member (
    tenant_id text not null,
    group_id text not null,
    instance_id text not null,
    primary key (tenant_id, group_id, instance_id),
    foreign key (tenant_id, group_id) references governance.instance_group on delete cascade
  )`,
  ...tenantTableSql('governance', 'instance_group_member', { app: ['select'] }),
  // Who was mended longest ago, of each policy.
  `create index remediation_last on governance.remediation (tenant_id, policy_id, instance_id, created_at)`,
);
