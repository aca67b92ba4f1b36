import { migration, type AreaMigration } from '#platform/database/migrate.js';

import { definerSql } from './definer.sql.js';

// Words of a name are found by how they begin. Punctuation separates words; without this, PostgreSQL's parser would take
// `acme.io` for one word, a host name.
const nameWords = `to_tsvector('simple', translate(name, '.,;:/@_&+-''"()', repeat(' ', 14)))`;

/** The platform's administrators find tenants: by name, id, owner's address, plan and status. */
export const tenantSearchMigration: AreaMigration = migration(
  '089_tenant_search',
  `create index tenant_name_words on identity.tenant using gin (${nameWords})`,
  `create index tenant_plan on identity.tenant (plan, id)`,
  `create index user_owner_email on identity."user" (lower(email) text_pattern_ops, tenant_id) where role = 'OWNER'`,

  // Row-level security hides other tenants from whoever asks here, so the functions run as their owner. They themselves
  // make sure that the one who asks is an administrator of the platform, and of the tenant that the session is bound to:
  // whatever else goes wrong in the application, nobody else is answered.
  ...definerSql(
    `find_tenants(administrator text, words text, exact text, email_like text, wanted_plan text, suspended boolean,
       after text, at_most integer) returns table (id text)`,
    'stable',
    `begin
      if not exists (select from identity."user" u
        where u.tenant_id = current_setting('app.tenant_id', true) and u.id = administrator and u.is_administrator)
      then return; end if;
      if exact is null then
        return query select t.id from identity.tenant t
          where (wanted_plan is null or t.plan = wanted_plan)
            and (suspended is null or suspended = (t.suspended_at is not null))
            and (after is null or t.id > after)
          order by t.id limit at_most;
      else
        return query select t.id from identity.tenant t
          where t.id in (
              select f.id from identity.tenant f where f.id = exact
              union all select f.id from identity.tenant f
                where words <> '' and ${nameWords.replace('name', 'f.name')} @@ to_tsquery('simple', words)
              union all select u.tenant_id from identity."user" u
                where u.role = 'OWNER' and email_like is not null and lower(u.email) like email_like)
            and (wanted_plan is null or t.plan = wanted_plan)
            and (suspended is null or suspended = (t.suspended_at is not null))
            and (after is null or t.id > after)
          order by t.id limit at_most;
      end if;
    end`,
  ),
  ...definerSql(
    `list_tenants(administrator text, words text, exact text, email_like text, wanted_plan text, suspended boolean,
       after text, at_most integer)
     returns table (id text, name text, plan text, suspended_at timestamptz, created_at timestamptz, provider_id text,
       owners jsonb)`,
    'stable',
    `select t.id, t.name, t.plan, t.suspended_at, t.created_at, t.parent_tenant_id,
       (select coalesce(jsonb_agg(jsonb_build_object('id', u.id, 'email', u.email) order by u.id), '[]'::jsonb)
        from identity."user" u where u.tenant_id = t.id and u.role = 'OWNER')
     from identity.find_tenants(administrator, words, exact, email_like, wanted_plan, suspended, after, at_most) f
     join identity.tenant t on t.id = f.id order by t.id`,
  ),
);
