import { migration, type AreaMigration } from '#platform/database/migrate.js';
import { tenantTableSql } from '#platform/database/row-level-security.js';
import { entitlementReadOnlySql, entitlementTableSql } from '#platform/entitlement/entitlement.sql.js';
import { idempotencyTableSql } from '#platform/idempotency/idempotency.sql.js';

/** Subscriptions as Stripe last told of them, and what was asked of it. */
export const subscriptionsMigration: AreaMigration = migration(
  '002_subscriptions',
  // One row for each tenant that was ever heard of. Columns in the middle are Stripe's, copied.
  `create table billing.subscription (
    tenant_id text primary key,
    version bigint not null default 0,
    name text,
    parent_tenant_id text,
    plan text not null default 'FREE' check (plan in ('FREE', 'PRO', 'ENTERPRISE')),
    plan_version bigint not null default 0,
    granted_plan text check (granted_plan in ('FREE', 'PRO', 'ENTERPRISE')),
    plan_source text not null default 'NONE' check (plan_source in ('NONE', 'SUBSCRIPTION', 'GRANT', 'PROVIDER')),
    contract_instances integer check (contract_instances >= 0),
    is_read_only boolean not null default false,
    last_decision text not null default '["FREE",false,null]',

    customer_id text,
    stripe_id text,
    stripe_item_id text,
    schedule_id text,
    status text not null default 'ACTIVE',
    subscribed_plan text check (subscribed_plan in ('PRO', 'ENTERPRISE')),
    billing_cycle text not null default 'MONTHLY' check (billing_cycle in ('MONTHLY', 'YEARLY')),
    currency text,
    period_start timestamptz,
    period_end timestamptz,
    cancel_at timestamptz,
    ended_at timestamptz,
    trial_end timestamptz,
    had_trial boolean not null default false,
    scheduled_plan text,
    scheduled_cycle text,
    amount_overdue bigint,

    past_due_since timestamptz,
    dunning_step integer not null default 0,
    dunning_at timestamptz,
    trial_notice_at timestamptz,

    ticket bigint not null default 0,
    applied_ticket bigint not null default 0,
    synced_at timestamptz,
    reconcile_at timestamptz
  )`,
  `create index subscription_customer on billing.subscription (customer_id)`,
  `create index subscription_dunning_at on billing.subscription (dunning_at) where dunning_at is not null`,
  `create index subscription_trial_notice_at on billing.subscription (trial_notice_at) where trial_notice_at is not null`,
  `create index subscription_reconcile_at on billing.subscription (reconcile_at) where reconcile_at is not null`,
  ...tenantTableSql('billing', 'subscription', { app: ['select', 'insert', 'update'] }),

  // What is about to be asked of Stripe, written before it is: whoever comes after a death goes on from here.
  `create table billing.intent (
    tenant_id text not null,
    id text not null,
    kind text not null check (kind in ('SUBSCRIBE', 'UPGRADE', 'DOWNGRADE', 'CANCEL', 'RESUME')),
    params jsonb not null,
    mutation jsonb not null,
    idempotency_key text,
    fingerprint text not null,
    status text not null default 'PENDING' check (status in ('PENDING', 'DONE', 'REFUSED', 'ABANDONED')),
    created_at timestamptz not null,
    finished_at timestamptz,
    primary key (tenant_id, id)
  )`,
  `create unique index intent_pending on billing.intent (tenant_id) where status = 'PENDING'`,
  `create index intent_key on billing.intent (tenant_id, idempotency_key) where idempotency_key is not null`,
  `create index intent_finished_at on billing.intent (finished_at) where finished_at is not null`,
  ...tenantTableSql('billing', 'intent', { app: ['select', 'insert', 'update'] }),

  // The ledger of webhooks: an event that is in it was taken.
  `create table billing.webhook_event (
    tenant_id text not null,
    event_id text not null,
    type text not null,
    object_id text not null,
    created_at timestamptz not null,
    received_at timestamptz not null,
    -- By the database's clock, which every process shares.
    taken_at timestamptz not null default clock_timestamp(),
    applied_at timestamptz,
    primary key (tenant_id, event_id)
  )`,
  `create index webhook_event_received_at on billing.webhook_event (received_at)`,
  `create index webhook_event_open on billing.webhook_event (tenant_id) where applied_at is null`,
  ...tenantTableSql('billing', 'webhook_event', { app: ['select', 'insert', 'update'] }),

  // Tenants whose subscription is to be asked for: one job each, however many webhooks tell of it.
  `create table billing.sync_request (
    tenant_id text primary key,
    wanted bigint not null default 1,
    wanted_at timestamptz not null
  )`,
  `create index sync_request_wanted_at on billing.sync_request (wanted_at)`,
  ...tenantTableSql('billing', 'sync_request'),

  `create table billing.invoice_cache (
    tenant_id text primary key,
    fetched_at timestamptz not null,
    invoices jsonb not null
  )`,
  ...tenantTableSql('billing', 'invoice_cache'),

  `create table billing.usage_level (
    tenant_id text not null,
    metric text not null check (metric in ('instances', 'users', 'storageGb')),
    version bigint not null,
    used double precision not null,
    -- The part of the limit, in percent, that was told of last.
    told_percent integer not null default 0,
    primary key (tenant_id, metric)
  )`,
  ...tenantTableSql('billing', 'usage_level', { app: ['select'] }),
  `create table billing.usage_record (
    tenant_id text not null,
    metric text not null,
    hour timestamptz not null,
    used double precision not null,
    primary key (tenant_id, metric, hour)
  )`,
  `create index usage_record_hour on billing.usage_record (hour)`,
  ...tenantTableSql('billing', 'usage_record', { app: ['select'] }),

  ...entitlementTableSql('billing'),
  entitlementReadOnlySql('billing'),
  ...idempotencyTableSql('billing'),
);
