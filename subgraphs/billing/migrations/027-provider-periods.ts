import { migration, type AreaMigration } from '#platform/database/migrate.js';
import { tenantTableSql } from '#platform/database/row-level-security.js';

/** Whose client a tenant was and when: what it paid then is that provider's to earn by, however late it is seen. */
export const providerPeriodsMigration: AreaMigration = migration(
  '027_provider_periods',
  `create table billing.provider_period (
    tenant_id text not null,
    id bigint generated always as identity,
    provider_id text not null,
    from_at timestamptz not null,
    -- Null while it goes on.
    to_at timestamptz check (to_at >= from_at),
    primary key (tenant_id, id)
  )`,
  `create unique index provider_period_open on billing.provider_period (tenant_id) where to_at is null`,
  `create index provider_period_from on billing.provider_period (tenant_id, from_at)`,
  ...tenantTableSql('billing', 'provider_period', { app: ['select'] }),
  // Earlier ones are not known.
  `insert into billing.provider_period (tenant_id, provider_id, from_at)
   select c.customer_id, c.tenant_id, c.since from billing.partner_customer c
   join billing.subscription s on s.tenant_id = c.customer_id and s.parent_tenant_id = c.tenant_id`,
);
