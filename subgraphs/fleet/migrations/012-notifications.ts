import { migration } from '#platform/database/migrate.js';
import { tenantTableSql } from '#platform/database/row-level-security.js';

/** Where tenants are told of alerts, and what was sent there. */
export const notificationsMigration = migration(
  '012_notifications',
  `create table fleet.notification_channel (
    tenant_id text not null,
    id text not null,
    kind text not null check (kind in ('WEBHOOK', 'EMAIL')),
    name text not null,
    url text,
    recipients text[] not null,
    sealed_secret text,
    sealed_previous_secret text,
    previous_secret_until timestamptz,
    minimum_severity text not null,
    tells_resolved boolean not null,
    is_enabled boolean not null,
    disabled_reason text,
    created_by text not null,
    created_at timestamptz not null,
    primary key (tenant_id, id),
    check (kind <> 'WEBHOOK' or (url is not null and sealed_secret is not null))
  )`,
  ...tenantTableSql('fleet', 'notification_channel'),

  `create table fleet.notification_delivery (
    tenant_id text not null,
    id text not null,
    channel_id text not null,
    type text not null,
    alert_ids text[] not null,
    body text not null,
    status text not null check (status in ('PENDING', 'DELIVERED', 'FAILED')),
    attempts jsonb not null,
    next_attempt_at timestamptz check ((next_attempt_at is null) = (status <> 'PENDING')),
    created_at timestamptz not null,
    ended_at timestamptz,
    primary key (tenant_id, id)
  )`,
  `create index notification_delivery_channel on fleet.notification_delivery (tenant_id, channel_id, id)`,
  `create index notification_delivery_next on fleet.notification_delivery (next_attempt_at)
    where next_attempt_at is not null`,
  `create index notification_delivery_created_at on fleet.notification_delivery (created_at)`,
  ...tenantTableSql('fleet', 'notification_delivery'),
);
