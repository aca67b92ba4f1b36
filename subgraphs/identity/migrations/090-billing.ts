import { migration, type AreaMigration } from '#platform/database/migrate.js';
import { entitlementReadOnlySql } from '#platform/entitlement/entitlement.sql.js';
import { usageHourSql } from '#platform/metering/usage.sql.js';

const tellAgain = (topic: string, version: string, payload: string, from: string) =>
  `insert into identity.outbox (event_id, tenant_id, topic, entity_id, entity_version, payload, caused_by, occurred_at)
   select 'evt_' || replace(gen_random_uuid()::text, '-', ''), t.id, '${topic}', t.id, ${version},
     ${payload}, 'migration:090', now()
   from ${from}`;

/** Plans may be read-only, and use is told to billing, which is also told of the tenants that were there before it. */
export const billingMigration: AreaMigration = migration(
  '090_billing',
  [entitlementReadOnlySql('identity')],
  usageHourSql('identity'),
  tellAgain(
    'identity.tenant.created',
    'null',
    `jsonb_strip_nulls(jsonb_build_object('tenantId', t.id, 'name', t.name, 'plan', t.plan,
       'parentTenantId', t.parent_tenant_id))`,
    'identity.tenant t',
  ),
  // As it was told last: less what a provider has given to its clients. Areas that know it already ignore it.
  tellAgain(
    'billing.entitlement.granted',
    'e.version',
    `jsonb_build_object('tenantId', t.id, 'version', e.version, 'plan', e.plan, 'features', to_jsonb(e.features),
       'limits', e.limits || case when e.limits ->> 'instances' is null then '{}'::jsonb else jsonb_build_object(
         'instances', greatest(0, (e.limits ->> 'instances')::int - coalesce((
           select sum(c.instance_limit) from identity.msp_client c where c.tenant_id = t.id), 0))) end,
       'source', case when t.parent_tenant_id is null then 'GRANT' else 'PROVIDER' end)`,
    'identity.entitlement e join identity.tenant t on t.id = e.tenant_id',
  ),
);
