import { migration, type AreaMigration } from '#platform/database/migrate.js';
import { tenantTableSql } from '#platform/database/row-level-security.js';

/** How tenants present themselves, as identity's events left it. */
export const brandingMigration: AreaMigration = migration(
  '081_branding',
  `create table fleet.branding (
    tenant_id text primary key,
    parent_tenant_id text,
    version bigint not null default 0,
    company_name text,
    support_email text
  )`,
  ...tenantTableSql('fleet', 'branding', { app: [] }),
  // A client sees no row of its provider, only what it shows of it.
  `create function fleet.find_branding(tenant text) returns table (company_name text, support_email text)
    language sql stable security definer set search_path = pg_catalog as $$
      select b.company_name, b.support_email
      from fleet.branding b
        join fleet.entitlement e on e.tenant_id = b.tenant_id and 'white-label' = any (e.features)
      where b.company_name is not null and b.tenant_id in (
        tenant, (select t.parent_tenant_id from fleet.branding t where t.tenant_id = tenant)
      )
      order by (b.tenant_id = tenant) desc limit 1 $$`,
  `revoke execute on function fleet.find_branding(text) from public`,
  `grant execute on function fleet.find_branding(text) to fleet_app, fleet_jobs`,
);
