import { migration, type AreaMigration } from '#platform/database/migrate.js';

/** What was closed is not made again, but beside it: nobody could accept its invitations. */
export const invitedTenantsMigration: AreaMigration = migration(
  '102_invited_tenants',
  `create or replace function identity.find_invited_tenant(administrator text, wanted_name text, owner_email text)
    returns table (id text) language sql stable security definer set search_path = pg_catalog as $$
     select t.id from identity.tenant t
     join identity.invitation i on i.tenant_id = t.id and i.role = 'OWNER' and lower(i.email) = lower(owner_email)
       and i.accepted_at is null and i.revoked_at is null
     where t.name = wanted_name and t.parent_tenant_id is null and t.erase_at is null
       and not exists (select from identity."user" u where u.tenant_id = t.id)
       and exists (select from identity."user" u where u.id = administrator and u.is_administrator)
     order by t.id limit 1 $$`,
);
