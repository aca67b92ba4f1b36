import { migration } from '#platform/database/migrate.js';
import { tenantTableSql } from '#platform/database/row-level-security.js';

export const alertSilencesMigration = migration(
  '011_alert_silences',
  `create table fleet.alert_silence (
    tenant_id text not null,
    id text not null,
    matchers jsonb not null,
    starts_at timestamptz not null,
    ends_at timestamptz not null,
    comment text not null,
    created_by text not null,
    created_at timestamptz not null,
    primary key (tenant_id, id)
  )`,
  `create index alert_silence_ends_at on fleet.alert_silence (tenant_id, ends_at)`,
  `create index alert_silence_old on fleet.alert_silence (ends_at)`,
  ...tenantTableSql('fleet', 'alert_silence'),
);
