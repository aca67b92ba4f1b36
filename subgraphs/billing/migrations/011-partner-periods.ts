import { migration, type AreaMigration } from '#platform/database/migrate.js';
import { tenantTableSql } from '#platform/database/row-level-security.js';

/** When partners were approved, and by which percentage; how far invoices were looked through; whose turn it is at Stripe. */
export const partnerPeriodsMigration: AreaMigration = migration(
  '011_partner_periods',
  // What is paid from the one moment up to the other earns that much.
  `create table billing.partner_period (
    tenant_id text not null,
    id bigint generated always as identity,
    partner_id text not null,
    from_at timestamptz not null,
    -- Null while it goes on.
    to_at timestamptz check (to_at >= from_at),
    commission_percent integer not null check (commission_percent between 0 and 100),
    primary key (tenant_id, id)
  )`,
  `create unique index partner_period_open on billing.partner_period (tenant_id, partner_id) where to_at is null`,
  `create index partner_period_from on billing.partner_period (tenant_id, partner_id, from_at)`,
  ...tenantTableSql('billing', 'partner_period', { app: ['select', 'insert', 'update'] }),
  // Earlier ones are not known.
  `insert into billing.partner_period (tenant_id, partner_id, from_at, to_at, commission_percent)
   select tenant_id, id, approved_at, greatest(suspended_at, approved_at), commission_percent
   from billing.partner where approved_at is not null`,

  // All invoices that were made before that are paid and known, or never will be paid.
  `alter table billing.subscription add column invoices_from timestamptz`,
  // Until then somebody sets the partner's discount at Stripe, and no change is begun.
  `alter table billing.subscription add column discount_until timestamptz`,
);
