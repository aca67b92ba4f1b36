import { migration, type AreaMigration } from '#platform/database/migrate.js';

/** What a channel is yet to hear, in its order: a delivery waits for those before it that are about the same alerts. */
export const openDeliveriesMigration: AreaMigration = migration(
  '096_open_deliveries',
  `create index notification_delivery_open on fleet.notification_delivery (tenant_id, channel_id, created_at)
    where next_attempt_at is not null`,
);
