import { migration, type AreaMigration } from '#platform/database/migrate.js';
import { entitlementReadOnlySql } from '#platform/entitlement/entitlement.sql.js';
import { usageHourSql } from '#platform/metering/usage.sql.js';

/** Plans may be read-only, and use is told to billing, which is also told of the instances that were there before it. */
export const billingMigration: AreaMigration = migration(
  '089_billing',
  [entitlementReadOnlySql('fleet')],
  usageHourSql('fleet'),
  `insert into fleet.outbox (event_id, tenant_id, topic, entity_id, payload, caused_by, occurred_at)
   select 'evt_' || replace(gen_random_uuid()::text, '-', ''), i.tenant_id, 'fleet.instance.enrolled', i.id,
     jsonb_build_object('instanceId', i.id, 'name', i.name, 'hostname', i.hostname, 'baseUrl', i.base_url,
       'redirectUris', to_jsonb(i.redirect_uris), 'enrollmentTokenId', i.enrollment_token_id),
     'migration:089', now()
   from fleet.instance i`,
);
