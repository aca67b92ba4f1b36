import { migration, type AreaMigration } from '#platform/database/migrate.js';
import { tenantTableSql } from '#platform/database/row-level-security.js';

/** Commands that bring instances in line with policies. */
export const remediationMigration: AreaMigration = migration(
  '004_remediation',
  `alter table governance.policy add column remediation jsonb, add column remediate_at timestamptz`,
  `create index policy_remediate_at on governance.policy (remediate_at, tenant_id) where remediate_at is not null`,
  `create table governance.remediation (
    tenant_id text not null,
    id text not null,
    policy_id text not null,
    instance_id text not null,
    command text not null,
    params jsonb not null,
    is_automatic boolean not null,
    status text not null,
    message text,
    requested_by text not null,
    attempted_at timestamptz,
    command_id text,
    due_at timestamptz,
    created_at timestamptz not null,
    finished_at timestamptz,
    primary key (tenant_id, id),
    foreign key (tenant_id, policy_id) references governance.policy on delete cascade
  )`,
  `create unique index remediation_open on governance.remediation (tenant_id, policy_id, instance_id)
     where finished_at is null`,
  `create index remediation_policy on governance.remediation (tenant_id, policy_id, created_at)`,
  `create index remediation_instance on governance.remediation (tenant_id, instance_id, id)`,
  `create index remediation_command on governance.remediation (tenant_id, command_id) where finished_at is null`,
  `create index remediation_due_at on governance.remediation (due_at, tenant_id) where due_at is not null`,
  `create index remediation_finished_at on governance.remediation (finished_at, tenant_id) where finished_at is not null`,
  ...tenantTableSql('governance', 'remediation'),
);
