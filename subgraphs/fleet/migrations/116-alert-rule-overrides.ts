import { migration } from '#platform/database/migrate.js';
import { tenantTableSql } from '#platform/database/row-level-security.js';

/** What groups of instances have otherwise than the tenant's alert rules say, and by which of it an alert was judged. */
export const alertRuleOverridesMigration = migration(
  '116_alert_rule_overrides',
  `create table fleet.alert_rule_override (
    tenant_id text not null,
    kind text not null,
    group_id text not null,
    priority integer not null check (priority between 1 and 10000),
    is_enabled boolean,
    severity text,
    threshold double precision,
    for_seconds integer,
    keep_firing_for_seconds integer,
    updated_at timestamptz not null,
    updated_by text not null,
    primary key (tenant_id, kind, group_id),
    foreign key (tenant_id, group_id) references fleet.instance_group on delete cascade
  )`,
  // In this order they are looked for: the first that an instance is meant by is the one that counts.
  `create unique index alert_rule_override_priority on fleet.alert_rule_override (tenant_id, kind, priority)`,
  `create index alert_rule_override_group on fleet.alert_rule_override (tenant_id, group_id)`,
  ...tenantTableSql('fleet', 'alert_rule_override'),
  `alter table fleet.alert add column rule_override jsonb`,
);
