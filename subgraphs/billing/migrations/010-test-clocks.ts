import { migration, type AreaMigration } from '#platform/database/migrate.js';
import { tenantTableSql } from '#platform/database/row-level-security.js';

/** How far tenants' test clocks are ahead of the machine's. Without TEST_CLOCKS nobody reads or writes it. */
export const testClocksMigration: AreaMigration = migration(
  '010_test_clocks',
  `create table billing.test_clock (
    tenant_id text primary key,
    -- Grows with each step of a way, so that of two who go it at once one does.
    version bigint not null default 0,
    ahead_ms bigint not null default 0 check (ahead_ms >= 0),
    -- As far as other areas know.
    told_ms bigint not null default 0 check (told_ms <= ahead_ms),
    status text not null default 'READY' check (status in ('READY', 'ADVANCING', 'INTERNAL_FAILURE')),
    -- Where somebody told it to go last, and where it is on its way to, whoever sent it.
    target timestamptz,
    way_to timestamptz check (status <> 'ADVANCING' or way_to is not null),
    failure text,
    stripe_clock_id text,
    -- Where it stands at Stripe; set before it is made there, so that it is asked for in the same words again.
    stripe_time timestamptz
  )`,
  `create index test_clock_stripe_time on billing.test_clock (stripe_time) where stripe_clock_id is not null`,
  ...tenantTableSql('billing', 'test_clock', { app: ['select', 'insert', 'update'] }),
);
