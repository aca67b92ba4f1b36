import { migration, type AreaMigration } from '#platform/database/migrate.js';
import { tenantTableSql } from '#platform/database/row-level-security.js';
import { idempotencyTableSql } from '#platform/idempotency/idempotency.sql.js';

/** Canaries, the instances that each is for, and the commands that each has sent. */
export const canariesMigration: AreaMigration = migration(
  '003_canaries',
  ...idempotencyTableSql('governance'),
  // `revision` goes up with each change: whoever looked before it writes nothing.
  `create table governance.canary (
    tenant_id text not null,
    id text not null,
    name text not null,
    command text not null,
    params jsonb not null,
    rollback jsonb,
    steps jsonb not null,
    applies_to jsonb not null,
    settings jsonb not null,
    status text not null,
    paused_from text,
    reason text,
    message text,
    current_step integer not null default 0,
    target integer not null,
    counts jsonb not null,
    analysis jsonb,
    failed_analyses integer not null default 0,
    revision integer not null default 0,
    start_at timestamptz not null,
    phase_at timestamptz not null,
    bake_until timestamptz,
    due_at timestamptz,
    created_by text not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    finished_at timestamptz,
    primary key (tenant_id, id)
  )`,
  `create index canary_due_at on governance.canary (due_at, tenant_id) where due_at is not null`,
  `create index canary_finished_at on governance.canary (finished_at, tenant_id) where finished_at is not null`,
  `create index canary_open on governance.canary (tenant_id) where finished_at is null`,
  ...tenantTableSql('governance', 'canary'),

  `create table governance.canary_member (
    tenant_id text not null,
    canary_id text not null,
    instance_id text not null,
    position integer not null,
    step integer not null,
    status text not null,
    is_open boolean not null,
    dispatch integer,
    rollback_dispatch integer,
    previous_version text,
    before jsonb,
    ended_at timestamptz,
    primary key (tenant_id, canary_id, instance_id),
    foreign key (tenant_id, canary_id) references governance.canary on delete cascade
  )`,
  // One canary for an instance at a time.
  `create unique index canary_member_open on governance.canary_member (tenant_id, instance_id) where is_open`,
  `create unique index canary_member_position on governance.canary_member (tenant_id, canary_id, position)`,
  `create index canary_member_status on governance.canary_member (tenant_id, canary_id, status, position)`,
  ...tenantTableSql('governance', 'canary_member'),

  // A command that a canary sends: `attempted_at` is written before it is, `command_id` once it was.
  `create table governance.canary_dispatch (
    tenant_id text not null,
    canary_id text not null,
    number integer not null,
    is_rollback boolean not null,
    params jsonb not null,
    command text not null,
    instance_ids jsonb not null,
    attempted_at timestamptz,
    command_id text,
    finished_at timestamptz,
    primary key (tenant_id, canary_id, number),
    foreign key (tenant_id, canary_id) references governance.canary on delete cascade
  )`,
  `create index canary_dispatch_command on governance.canary_dispatch (tenant_id, command_id)
     where finished_at is null`,
  ...tenantTableSql('governance', 'canary_dispatch'),
);
