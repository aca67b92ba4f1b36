import { migration, type AreaMigration } from '#platform/database/migrate.js';

const asking = `nullif(current_setting('app.tenant_id', true), '')`;

/** Administrators find the registrations that wait for them, and clients of providers whom to ask. */
export const partnerListsMigration: AreaMigration = migration(
  '022_partner_lists',
  `create index partner_status on billing.partner (status, id)`,
  `create function billing.list_partners_of(wanted text, after text, at_most integer) returns setof billing.partner
    language sql stable security definer set search_path = pg_catalog as $$
      select p.* from billing.partner p where p.status = wanted and (after is null or p.id > after)
      order by p.id limit at_most $$`,
  `create function billing.count_partners_of(wanted text) returns bigint
    language sql stable security definer set search_path = pg_catalog as $$
      select count(*) from billing.partner p where p.status = wanted $$`,
  // Of the tenant that asks, which sees no row of its provider.
  `create function billing.provider_name() returns text
    language sql stable security definer set search_path = pg_catalog as $$
      select p.name from billing.subscription s join billing.subscription p on p.tenant_id = s.parent_tenant_id
      where s.tenant_id = ${asking} $$`,
  ...['list_partners_of(text, text, integer)', 'count_partners_of(text)', 'provider_name()'].flatMap(
    (signature) => [
      `revoke execute on function billing.${signature} from public`,
      `grant execute on function billing.${signature} to billing_app, billing_jobs`,
    ],
  ),
);
