import { migration, type AreaMigration } from '#platform/database/migrate.js';

/** Whoever makes a server has the call to itself; and addresses that are paid for apart are a part of what it costs. */
export const claimsMigration: AreaMigration = migration(
  '030_claims',
  `alter table hosting.server
     add column calling_until timestamptz,
     add column ipv4_price_hourly double precision not null default 0,
     add column ipv4_price_monthly double precision not null default 0`,
);
