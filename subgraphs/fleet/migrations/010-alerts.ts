import { migration } from '#platform/database/migrate.js';
import { tenantTableSql } from '#platform/database/row-level-security.js';

/** Alerts, and the rules that tenants have set otherwise than by default. */
export const alertsMigration = migration(
  '010_alerts',
  `create table fleet.alert_rule (
    tenant_id text not null,
    kind text not null,
    is_enabled boolean not null,
    severity text not null,
    threshold double precision,
    for_seconds integer not null,
    keep_firing_for_seconds integer not null,
    updated_at timestamptz not null,
    updated_by text not null,
    primary key (tenant_id, kind)
  )`,
  ...tenantTableSql('fleet', 'alert_rule'),

  // Open alerts are written at every beat that finds their condition: no column that this changes is indexed but
  // notify_at, which changes with the status only.
  `create table fleet.alert (
    tenant_id text not null,
    id text not null,
    instance_id text not null,
    instance_name text not null,
    rule text not null,
    component text not null,
    severity text not null,
    status text not null check (status in ('PENDING', 'FIRING', 'ACKNOWLEDGED', 'RESOLVED')),
    message text not null,
    value double precision,
    threshold double precision,
    count integer not null,
    started_at timestamptz not null,
    fired_at timestamptz,
    last_seen_at timestamptz not null,
    clear_since timestamptz,
    updated_at timestamptz not null,
    acknowledged_by text,
    acknowledged_at timestamptz,
    resolved_at timestamptz check ((resolved_at is null) = (status <> 'RESOLVED')),
    resolved_by text,
    resolution text,
    notified_at timestamptz,
    notify_at timestamptz,
    observed_to timestamptz not null,
    sampled_to timestamptz,
    primary key (tenant_id, id)
  ) with (fillfactor = 80)`,
  // The fingerprint: one condition has one open alert, whoever tries to make a second.
  `create unique index alert_open on fleet.alert (tenant_id, instance_id, rule, component) where status <> 'RESOLVED'`,
  `create index alert_history on fleet.alert (tenant_id, instance_id, rule, component, id)`,
  `create index alert_active on fleet.alert (tenant_id, id) where status in ('FIRING', 'ACKNOWLEDGED')`,
  `create index alert_status on fleet.alert (tenant_id, status, id)`,
  `create index alert_notify_at on fleet.alert (notify_at) where notify_at is not null`,
  `create index alert_resolved_at on fleet.alert (resolved_at) where resolved_at is not null`,
  ...tenantTableSql('fleet', 'alert'),
);
