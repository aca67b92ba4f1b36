import { migration, type AreaMigration } from '#platform/database/migrate.js';

/** Everyone may ask what they are shown, so the database itself answers of no tenant but that of the session. */
export const brandingOfItsOwnMigration: AreaMigration = migration(
  '099_branding_of_its_own',
  `create or replace function identity.find_branding(tenant text) returns table (tenant_id text, company_name text,
     logo_url text, primary_color text, support_email text, logo_sha256 text)
   language sql stable security definer set search_path = pg_catalog as $$
     select b.tenant_id, b.company_name, b.logo_url, b.primary_color, b.support_email, b.logo_sha256
     from identity.tenant t
       join identity.branding b on b.tenant_id in (t.id, t.parent_tenant_id)
       join identity.entitlement e on e.tenant_id = b.tenant_id and 'white-label' = any (e.features)
     where t.id = tenant and t.id = current_setting('app.tenant_id', true)
     order by (b.tenant_id = t.id) desc limit 1 $$`,
);
