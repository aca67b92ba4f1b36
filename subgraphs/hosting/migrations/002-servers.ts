import { migration, type AreaMigration } from '#platform/database/migrate.js';
import { tenantTableSql } from '#platform/database/row-level-security.js';
import { idempotencyTableSql } from '#platform/idempotency/idempotency.sql.js';

/** Accounts with providers, and the servers that are made there. */
export const serversMigration: AreaMigration = migration(
  '002_servers',
  `create table hosting.provider_account (
    tenant_id text not null,
    provider text not null,
    id text not null,
    sealed_token text not null,
    problem text,
    connected_at timestamptz not null,
    last_checked_at timestamptz not null,
    -- The catalogue as the provider last told it, and when.
    catalogue jsonb not null,
    catalogue_at timestamptz not null,
    -- When servers under way are asked for next, and how many times in a row nothing was new.
    poll_at timestamptz,
    quiet_polls integer not null default 0,
    reconcile_at timestamptz not null,
    -- What is left of the provider's allowance, as it last told, and until when it takes no more calls.
    budget_limit integer,
    budget_left integer,
    blocked_until timestamptz,
    primary key (tenant_id, provider)
  )`,
  `create index provider_account_poll_at on hosting.provider_account (poll_at) where poll_at is not null`,
  `create index provider_account_reconcile_at on hosting.provider_account (reconcile_at)`,
  ...tenantTableSql('hosting', 'provider_account'),

  `create table hosting.server (
    tenant_id text not null,
    id text not null,
    version bigint not null default 1,
    provider text not null,
    name text not null,
    region text not null,
    location text not null,
    size text not null,
    ssh_keys text[] not null,
    install_cloud_os boolean not null,
    is_protected boolean not null default false,
    phase text not null,
    phase_at timestamptz not null,
    reason text,
    message text,
    progress integer not null default 0,
    -- At the provider: null until it is known. Calls that create it are counted before they are made.
    provider_id text,
    operation_ids text[] not null default '{}',
    create_calls integer not null default 0,
    last_call_at timestamptz,
    failures integer not null default 0,
    -- When a step is to be taken next, by whoever comes first; null while only others can move it on.
    due_at timestamptz,
    drain_until timestamptz,
    missing_since timestamptz,
    ip_address text,
    instance_id text,
    enrollment_token_id text,
    sealed_token text,
    price_hourly double precision not null,
    price_monthly double precision not null,
    currency text not null,
    created_at timestamptz not null,
    created_by text not null,
    billed_from timestamptz,
    billed_to timestamptz,
    ready_at timestamptz,
    deleted_at timestamptz,
    primary key (tenant_id, id)
  )`,
  `create unique index server_name on hosting.server (tenant_id, provider, lower(name)) where deleted_at is null`,
  `create index server_provider on hosting.server (tenant_id, provider, phase) where deleted_at is null`,
  `create index server_instance on hosting.server (tenant_id, instance_id) where instance_id is not null`,
  `create index server_token on hosting.server (tenant_id, enrollment_token_id) where enrollment_token_id is not null`,
  `create index server_due_at on hosting.server (due_at) where due_at is not null`,
  `create index server_billed on hosting.server (tenant_id, billed_from) where billed_from is not null`,
  ...tenantTableSql('hosting', 'server'),

  `create table hosting.budget (
    tenant_id text primary key,
    monthly_limit double precision not null check (monthly_limit >= 0),
    currency text not null
  )`,
  ...tenantTableSql('hosting', 'budget'),
  ...idempotencyTableSql('hosting'),
);
