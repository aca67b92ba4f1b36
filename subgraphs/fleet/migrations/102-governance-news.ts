import { migration, type AreaMigration } from '#platform/database/migrate.js';

/**
 * Channels are told of canaries and of GitOps too. Of such a delivery `subject_id` is what it is about, and `event_id` the
 * event that it tells, which is told once.
 */
export const governanceNewsMigration: AreaMigration = migration(
  '102_governance_news',
  `alter table fleet.notification_channel
     add column tells_canaries boolean not null default true,
     add column tells_git_ops boolean not null default true`,
  `alter table fleet.notification_delivery add column subject_id text, add column event_id text`,
  `create unique index notification_delivery_event on fleet.notification_delivery (tenant_id, channel_id, event_id)
     where event_id is not null`,
);
