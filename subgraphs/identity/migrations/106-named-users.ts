import { migration, type AreaMigration } from '#platform/database/migrate.js';

import { definerSql } from './definer.sql.js';

const own = `current_setting('app.tenant_id', true)`;

/**
 * A grant, and a request for one, may name the users of the provider whom it is for; null is for all of them. Row-level
 * security hides them from the client, so the functions run as their owner, and answer the tenant that the session is
 * bound to: of its own provider only, by whole addresses, and of those whom its rows name.
 */
export const namedUsersMigration: AreaMigration = migration(
  '106_named_users',
  `alter table identity.delegation add column user_ids text[], add column users_changed_at timestamptz`,
  `alter table identity.delegation_request add column user_ids text[]`,
  ...definerSql(
    `provider_users(emails text[]) returns table (id text, email text)`,
    'stable',
    `select u.id, lower(u.email) from identity.tenant t join identity."user" u on u.tenant_id = t.parent_tenant_id
     where t.id = ${own} and lower(u.email) = any(emails)`,
  ),
  ...definerSql(
    `named_users(provider text, ids text[]) returns table (id text, email text, name text)`,
    'stable',
    `select u.id, u.email, u.name from identity."user" u
     where u.tenant_id = provider and u.id = any(ids) and (provider = ${own}
       or exists (select from identity.delegation d
         where d.tenant_id = ${own} and d.provider_id = provider and u.id = any(d.user_ids))
       or exists (select from identity.delegation_request r
         where r.tenant_id = ${own} and r.provider_id = provider and u.id = any(r.user_ids)))`,
  ),
  `create or replace function identity.find_delegate(client text, wanted text, at timestamptz)
    returns table (id text, email text, name text)
    language sql stable security definer set search_path = pg_catalog as $$
     select u.id, u.email, u.name from identity."user" u
     where u.id = wanted and exists (
       select from identity.delegation d
       where d.tenant_id = client and d.provider_id = u.tenant_id and d.revoked_at is null and d.expires_at > at
         and (d.user_ids is null or u.id = any(d.user_ids))) $$`,
);
