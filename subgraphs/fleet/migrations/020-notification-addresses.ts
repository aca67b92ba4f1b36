import { migration } from '#platform/database/migrate.js';
import { tenantTableSql } from '#platform/database/row-level-security.js';

/** Addresses that were asked whether they want a tenant's alerts; which channels were told of an alert, and when. */
export const notificationAddressesMigration = migration(
  '020_notification_addresses',
  `create table fleet.notification_address (
    tenant_id text not null,
    email text not null check (email = lower(email)),
    token_hash text,
    token_expires_at timestamptz check ((token_expires_at is null) = (token_hash is null)),
    mails integer not null,
    mailed_at timestamptz not null,
    confirmed_at timestamptz,
    primary key (tenant_id, email)
  )`,
  `create unique index notification_address_token on fleet.notification_address (token_hash)`,
  `create index notification_address_mailed_at on fleet.notification_address (mailed_at)`,
  ...tenantTableSql('fleet', 'notification_address'),
  `create function fleet.find_notification_address(hash text) returns table (tenant_id text)
    language sql stable security definer set search_path = pg_catalog as
    $$ select a.tenant_id from fleet.notification_address a where a.token_hash = hash $$`,
  `revoke execute on function fleet.find_notification_address(text) from public`,
  `grant execute on function fleet.find_notification_address(text) to fleet_app, fleet_jobs`,

  `alter table fleet.notification_channel add column repeat_interval_minutes integer not null default 240`,
  // To how many addresses it was last mailed, and when: what a tenant's allowance is counted by.
  `alter table fleet.notification_delivery add column mails integer not null default 0`,
  `alter table fleet.notification_delivery add column mailed_at timestamptz`,
  `create index notification_delivery_mailed_at on fleet.notification_delivery (tenant_id, mailed_at)
    where mailed_at is not null`,
  `create index notification_delivery_test on fleet.notification_delivery (tenant_id, created_at)
    where type = 'TEST'`,

  // Channel to when it was last told that the alert fires.
  `alter table fleet.alert add column told jsonb not null default '{}'`,
  `update fleet.alert a set told = d.told
    from (
      select tenant_id, alert_id, jsonb_object_agg(channel_id, told_at) as told
      from (
        select tenant_id, channel_id, unnest(alert_ids) as alert_id, max(created_at) as told_at
        from fleet.notification_delivery where type = 'ALERT_FIRING' group by 1, 2, 3
      ) t
      group by 1, 2
    ) d
    where a.tenant_id = d.tenant_id and a.id = d.alert_id and a.status <> 'RESOLVED'`,
);
