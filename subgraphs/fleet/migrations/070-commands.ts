import { migration, type AreaMigration } from '#platform/database/migrate.js';
import { tenantTableSql } from '#platform/database/row-level-security.js';
import { idempotencyTableSql } from '#platform/idempotency/idempotency.sql.js';

/** Commands, what became of them on each instance, and the answers kept for calls that are repeated. */
export const commandsMigration: AreaMigration = migration(
  '070_commands',
  idempotencyTableSql('fleet'),

  `create table fleet.command (
    tenant_id text not null,
    id text not null,
    kind text not null,
    params jsonb not null,
    status text not null,
    counts jsonb not null,
    total integer not null,
    max_concurrency integer not null check (max_concurrency > 0),
    max_errors integer not null check (max_errors >= 0),
    execution_timeout_seconds integer not null,
    created_by text not null,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    cancelled_at timestamptz,
    finished_at timestamptz,
    primary key (tenant_id, id)
  )`,
  `create index command_status on fleet.command (tenant_id, status, id)`,
  `create index command_finished_at on fleet.command (finished_at) where finished_at is not null`,
  ...tenantTableSql('fleet', 'command'),

  `create table fleet.command_invocation (
    tenant_id text not null,
    command_id text not null,
    instance_id text not null,
    position integer not null,
    status text not null,
    progress integer,
    output text,
    exit_code integer,
    deliveries integer not null default 0,
    lease_stem text not null,
    leased_until timestamptz,
    due_at timestamptz,
    delivered_at timestamptz,
    started_at timestamptz,
    finished_at timestamptz,
    updated_at timestamptz not null,
    late_result jsonb,
    primary key (tenant_id, command_id, instance_id)
  )`,
  // What a node is to be handed, what a command has handed out, and what a sweep has to look at.
  `create index command_invocation_waiting on fleet.command_invocation (tenant_id, instance_id)
    where status in ('PENDING', 'DELAYED')`,
  `create index command_invocation_leased on fleet.command_invocation (tenant_id, command_id)
    where leased_until is not null`,
  `create index command_invocation_due on fleet.command_invocation (due_at) where due_at is not null`,
  `create index command_invocation_instance on fleet.command_invocation (tenant_id, instance_id, command_id)`,
  ...tenantTableSql('fleet', 'command_invocation'),
);
