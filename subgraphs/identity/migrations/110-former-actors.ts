import { migration, type AreaMigration } from '#platform/database/migrate.js';
import { ownerPolicySql } from '#platform/database/row-level-security.js';

/** How to read this table: what each function takes names from, and what of it. */
const doors = [
  {
    name: 'forget_actor',
    takes: ['home text', 'who text', 'at_most integer'],
    which: `e.actor = who and e.actor_email is not null and coalesce(e.actor_tenant_id, e.tenant_id) = home`,
    // What others said by them is of others.
    what: `actor_name = null, actor_email = null, personal = case when e.target = who then null else e.personal end`,
  },
  {
    name: 'forget_address',
    takes: ['home text', 'address text', 'at_most integer'],
    // Of an address that is somebody's again only the trail of whoever was removed says something else.
    which: `e.personal @> jsonb_build_array(jsonb_build_object('key', lower(address)))
      and (e.tenant_id = home or not exists (select from identity."user" u where lower(u.email) = lower(address)))`,
    what: `personal = (select jsonb_agg(one) from jsonb_array_elements(e.personal) one where one ->> 'key' <> lower(address))`,
  },
  {
    name: 'forget_actors_of',
    takes: ['home text', 'at_most integer'],
    which: `e.actor_tenant_id = home and e.actor_tenant_name is not null`,
    what: `actor_name = null, actor_email = null, actor_tenant_name = null`,
  },
];

/**
 * Whom the trails are to forget: a row for each user who was removed, and one without a user for each tenant that was erased.
 * The database itself writes them, in the transaction that ends the account, whichever version does that.
 */
export const formerActorsMigration: AreaMigration = migration(
  '110_former_actors',
  `alter table identity.audit_event add column personal jsonb`,
  // Not a table of tenants: what is to be forgotten of a tenant outlasts its erasure.
  `create table identity.former_actor (
    former_tenant_id text not null,
    user_id text not null,
    email text,
    -- When that is to be is for the panel to say, which goes by a clock of its own.
    forget_at timestamptz not null default '-infinity',
    primary key (former_tenant_id, user_id)
  )`,
  `create index former_actor_forget_at on identity.former_actor (forget_at)`,
  `alter table identity.former_actor enable row level security`,
  `alter table identity.former_actor force row level security`,
  `create policy jobs on identity.former_actor to identity_jobs using (true) with check (true)`,
  ...ownerPolicySql('identity', 'former_actor'),
  `grant select, update, delete on identity.former_actor to identity_jobs`,
  ...[
    { table: 'user', name: 'former_user', values: 'old.tenant_id, old.id, old.email' },
    { table: 'tenant', name: 'former_tenant', values: `old.id, '', null` },
  ].flatMap(({ table, name, values }) => [
    `create function identity.${name}() returns trigger
      language plpgsql security definer set search_path = pg_catalog as $$
      begin
        insert into identity.former_actor (former_tenant_id, user_id, email) values (${values}) on conflict do nothing;
        return null;
      end $$`,
    `create trigger ${name} after delete on identity."${table}" for each row execute function identity.${name}()`,
  ]),
  // Nobody may change an entry: these take names from it and nothing else, which no hash covers.
  ...doors.flatMap(({ name, takes, which, what }) => [
    `create function identity.${name}(${takes.join(', ')}) returns integer
      language sql volatile security definer set search_path = pg_catalog as $$
      with gone as (
        update identity.audit_event e set ${what} where e.ctid = any(array(
          select e.ctid from identity.audit_event e where ${which} limit at_most for update
        )) returning 1
      )
      select count(*)::integer from gone $$`,
    `revoke execute on function identity.${name} from public`,
    `grant execute on function identity.${name} to identity_jobs`,
  ]),
  // Those of whom trails tell by name from before.
  `insert into identity.former_actor (former_tenant_id, user_id)
    select distinct coalesce(e.actor_tenant_id, e.tenant_id), e.actor from identity.audit_event e
    where e.actor_email is not null and not exists (select from identity."user" u where u.id = e.actor)
    on conflict do nothing`,
  `insert into identity.former_actor (former_tenant_id, user_id)
    select distinct e.actor_tenant_id, '' from identity.audit_event e
    where e.actor_tenant_name is not null and not exists (select from identity.tenant t where t.id = e.actor_tenant_id)
    on conflict do nothing`,
);
