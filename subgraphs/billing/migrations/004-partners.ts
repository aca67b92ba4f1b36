import { migration, type AreaMigration } from '#platform/database/migrate.js';
import { tenantTableSql } from '#platform/database/row-level-security.js';

// The tenant that the session is bound to, so that nobody asks about another one.
const asking = `nullif(current_setting('app.tenant_id', true), '')`;

/** Partners, the instances of their customers, what became of their tiers, and what they earn. */
export const partnersMigration: AreaMigration = migration(
  '004_partners',
  `create table billing.partner (
    tenant_id text not null,
    id text not null,
    name text not null,
    contact_email text not null,
    website text,
    status text not null default 'PENDING' check (status in ('PENDING', 'APPROVED', 'REJECTED', 'SUSPENDED')),
    version bigint not null default 1,
    -- As a tier's id; null below the first one, and while it is not approved.
    tier text,
    instances integer not null default 0,
    commission_percent integer not null default 0 check (commission_percent between 0 and 100),
    created_at timestamptz not null,
    -- Invoices that are paid from the one moment up to the other earn commission.
    approved_at timestamptz,
    suspended_at timestamptz,
    primary key (tenant_id, id)
  )`,
  `create unique index partner_open on billing.partner (tenant_id) where status <> 'REJECTED'`,
  `create index partner_id on billing.partner (id)`,
  ...tenantTableSql('billing', 'partner', { app: ['select', 'insert', 'update'] }),

  // A provider's clients, kept for the provider whether it is a partner or not: it may become one.
  `create table billing.partner_customer (
    tenant_id text not null,
    customer_id text not null,
    instances integer not null,
    since timestamptz not null,
    primary key (tenant_id, customer_id)
  )`,
  `create index partner_customer_customer on billing.partner_customer (customer_id)`,
  ...tenantTableSql('billing', 'partner_customer', { app: ['select'] }),
  `create index subscription_parent on billing.subscription (parent_tenant_id) where parent_tenant_id is not null`,
  `insert into billing.partner_customer (tenant_id, customer_id, instances, since)
   select s.parent_tenant_id, s.tenant_id, coalesce(u.used, 0)::int, now()
   from billing.subscription s
   left join billing.usage_level u on u.tenant_id = s.tenant_id and u.metric = 'instances'
   where s.parent_tenant_id is not null`,

  `create table billing.partner_tier_change (
    tenant_id text not null,
    id text not null,
    partner_id text not null,
    from_tier text,
    to_tier text,
    instances integer not null,
    reason text not null check (reason in ('INSTANCES', 'APPROVED', 'SUSPENDED')),
    changed_at timestamptz not null,
    primary key (tenant_id, id)
  )`,
  `create index partner_tier_change_partner on billing.partner_tier_change (tenant_id, partner_id, id)`,
  ...tenantTableSql('billing', 'partner_tier_change', {
    app: ['select', 'insert'],
    jobs: ['select', 'insert', 'delete'],
  }),

  // The coupon of ours that Stripe has on the subscription.
  `alter table billing.subscription add column partner_coupon text`,

  // Under which terms the tenant that asks buys: those of its provider, or else its own. It sees no row of its provider.
  // A partner that is suspended gives no tier, and may yet hear of what was paid before.
  `create function billing.partner_terms() returns table (partner_id text, tier text)
    language sql stable security definer set search_path = pg_catalog as $$
      select p.id, p.tier from billing.partner p
      where p.approved_at is not null and p.status <> 'REJECTED' and p.tenant_id = coalesce(
        (select s.parent_tenant_id from billing.subscription s where s.tenant_id = ${asking}), ${asking}) $$`,
  // For administrators of the platform, who are known to be such by their token alone.
  `create function billing.tenant_of_partner(partner text) returns text
    language sql stable security definer set search_path = pg_catalog as $$
      select p.tenant_id from billing.partner p where p.id = partner $$`,
  `create function billing.list_partners(after text, at_most integer) returns setof billing.partner
    language sql stable security definer set search_path = pg_catalog as $$
      select p.* from billing.partner p where after is null or p.id > after order by p.id limit at_most $$`,
  `create function billing.count_partners() returns bigint
    language sql stable security definer set search_path = pg_catalog as $$
      select count(*) from billing.partner $$`,
  ...[
    'partner_terms()',
    'tenant_of_partner(text)',
    'list_partners(text, integer)',
    'count_partners()',
  ].flatMap((signature) => [
    `revoke execute on function billing.${signature} from public`,
    `grant execute on function billing.${signature} to billing_app, billing_jobs`,
  ]),

  // Invoices of partners' customers that were seen to be paid: each is told of once.
  `create table billing.paid_invoice (
    tenant_id text not null,
    id text not null,
    paid_at timestamptz not null,
    primary key (tenant_id, id)
  )`,
  ...tenantTableSql('billing', 'paid_invoice', { app: ['select', 'insert'] }),

  `create table billing.commission (
    tenant_id text not null,
    id text not null,
    partner_id text not null,
    customer_id text not null,
    invoice_id text not null,
    tier text,
    amount_paid bigint not null,
    commission_percent integer not null,
    amount bigint not null,
    currency text not null,
    paid_at timestamptz not null,
    recorded_at timestamptz not null,
    primary key (tenant_id, id)
  )`,
  `create unique index commission_invoice on billing.commission (tenant_id, invoice_id)`,
  `create index commission_partner on billing.commission (tenant_id, partner_id, id)`,
  // Nobody may change or remove a row; the function below is the only way that rows go, when their tenant is erased.
  ...tenantTableSql('billing', 'commission', { app: ['select'], jobs: ['select', 'insert'] }),
  `create function billing.take_commission(tenant text, at_most integer) returns setof billing.commission
    language sql security definer set search_path = pg_catalog as $$
      delete from billing.commission where ctid = any(array(
        select ctid from billing.commission where tenant_id = tenant limit at_most)) returning * $$`,
  `revoke execute on function billing.take_commission(text, integer) from public`,
  `grant execute on function billing.take_commission(text, integer) to billing_jobs`,
);
