import { migration, type AreaMigration } from '#platform/database/migrate.js';

/** How a client's fleet is and how far its policies hold, as fleet and governance tell: figures, and nothing they are of. */
export const clientHealthMigration: AreaMigration = migration(
  '095_client_health',
  `alter table identity.msp_client
    add column health_version bigint not null default 0,
    add column healthy integer not null default 0,
    add column degraded integer not null default 0,
    add column offline integer not null default 0,
    add column critical_alerts integer not null default 0,
    add column warning_alerts integer not null default 0,
    add column info_alerts integer not null default 0,
    add column score_version bigint not null default 0,
    add column overall_score integer`,
);
