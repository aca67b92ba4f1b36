import { migration, type AreaMigration } from '#platform/database/migrate.js';

import { definerSql } from './definer.sql.js';

/** Clients may be suspended by the panel's administrators too, and are read-only while their providers are out of order. */
export const clientSuspensionsMigration: AreaMigration = migration(
  '092_client_suspensions',
  // Beside `suspended_at`, which is the provider's: neither undoes the other's.
  `alter table identity.msp_client add column panel_suspended_at timestamptz`,

  // The record of a client is its provider's, and hidden from the transaction of an administrator, which is bound to the
  // client. Answers whether the provider has suspended it, and nothing where there is no such record.
  ...definerSql(
    `suspend_client(administrator text, at timestamptz) returns table (is_suspended_by_provider boolean)`,
    'volatile',
    `update identity.msp_client c
     set panel_suspended_at = case when at is not null then coalesce(c.panel_suspended_at, at) end
     where c.id = current_setting('app.tenant_id', true)
       and exists (select from identity."user" u where u.id = administrator and u.is_administrator)
     returning c.suspended_at is not null`,
  ),

  ...definerSql(
    `list_tenants_and_suspenders(administrator text, words text, exact text, email_like text, wanted_plan text,
       suspended boolean, after text, at_most integer)
     returns table (id text, name text, plan text, suspended_at timestamptz, created_at timestamptz, provider_id text,
       owners jsonb, suspended_by text[])`,
    'stable',
    `select l.*, array_remove(array[
       case when l.suspended_at is not null and (l.provider_id is null or c.panel_suspended_at is not null)
         then 'PANEL' end,
       case when c.suspended_at is not null then 'PROVIDER' end], null)
     from identity.list_tenants(administrator, words, exact, email_like, wanted_plan, suspended, after, at_most) l
     left join identity.msp_client c on c.id = l.id order by l.id`,
  ),

  // What administrators made and nobody has joined: to make it again is to invite again.
  ...definerSql(
    `find_invited_tenant(administrator text, wanted_name text, owner_email text) returns table (id text)`,
    'stable',
    `select t.id from identity.tenant t
     join identity.invitation i on i.tenant_id = t.id and i.role = 'OWNER' and lower(i.email) = lower(owner_email)
       and i.accepted_at is null and i.revoked_at is null
     where t.name = wanted_name and t.parent_tenant_id is null
       and not exists (select from identity."user" u where u.tenant_id = t.id)
       and exists (select from identity."user" u where u.id = administrator and u.is_administrator)
     order by t.id limit 1`,
  ),

  // Whoever pays for clients is looked at again. What is told is what was told last, so areas that know it ignore it.
  `insert into identity.outbox (event_id, tenant_id, topic, entity_id, entity_version, payload, caused_by, occurred_at)
   select 'evt_' || replace(gen_random_uuid()::text, '-', ''), e.tenant_id, 'billing.entitlement.granted', e.tenant_id,
     e.version,
     jsonb_build_object('tenantId', e.tenant_id, 'version', e.version, 'plan', e.plan,
       'features', to_jsonb(e.features), 'isReadOnly', e.is_read_only,
       'limits', e.limits || case when e.limits ->> 'instances' is null then '{}'::jsonb else jsonb_build_object(
         'instances', greatest(0, (e.limits ->> 'instances')::int - c.given)) end),
     'migration:092', now()
   from identity.entitlement e
   join (select tenant_id, sum(instance_limit) as given from identity.msp_client group by tenant_id) c
     on c.tenant_id = e.tenant_id`,
);
