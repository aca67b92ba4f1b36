import { migration, type AreaMigration } from '#platform/database/migrate.js';

/**
 * In which delivery each channel was last told of an alert, and which deliveries another one comes after: whether something
 * is still on its way is looked up by key, however much of a tenant's waits.
 */
export const toldInMigration: AreaMigration = migration(
  '097_told_in',
  `alter table fleet.alert add column told_in jsonb not null default '{}'`,
  `alter table fleet.notification_delivery add column follows text[] not null default '{}'`,
  `update fleet.alert a set told_in = open.told_in
    from (
      select d.tenant_id, told.id, jsonb_object_agg(d.channel_id, d.id order by d.created_at) as told_in
      from fleet.notification_delivery d cross join unnest(d.alert_ids) as told (id)
      where d.next_attempt_at is not null group by 1, 2
    ) open
    where a.tenant_id = open.tenant_id and a.id = open.id`,
  `with open as (
      select d.tenant_id, d.channel_id, d.id, d.created_at, told.id as alert_id
      from fleet.notification_delivery d cross join unnest(d.alert_ids) as told (id)
      where d.next_attempt_at is not null
    )
    update fleet.notification_delivery d set follows = later.follows
    from (
      select o.tenant_id, o.id, array_agg(distinct before.id) as follows
      from open o join open before using (tenant_id, channel_id, alert_id)
      where before.created_at < o.created_at group by 1, 2
    ) later
    where d.tenant_id = later.tenant_id and d.id = later.id`,
);
