import { migration, type AreaMigration } from '#platform/database/migrate.js';

/** A channel that a provider's user set up under a grant ends with it, as enrollment tokens do. */
export const channelGrantsMigration: AreaMigration = migration(
  '110_channel_grants',
  `alter table fleet.notification_channel add column grant_id text, add column grant_ends_at timestamptz`,
  `create index notification_channel_grant on fleet.notification_channel (tenant_id, grant_id)
    where grant_id is not null`,
  `create index notification_channel_grant_ends_at on fleet.notification_channel (grant_ends_at)
    where grant_ends_at is not null`,
);
