import { migration, type AreaMigration } from '../database/migrate.js';

/** Which servers the database has had, as Patroni forgets one that is gone within seconds; and who was asked to lead last. */
export const haDatabaseMigration: AreaMigration = migration(
  '008_ha_database',
  `create table platform.database_member (
      name text primary key,
      -- Renewed once an hour while it is there.
      seen_at timestamptz not null default now()
    )`,
  `create table platform.ha_switch (
      kind text primary key check (kind in ('panel', 'database')),
      -- Grows with each switch, so that of two who ask at the same time one sees the other.
      turn bigint not null,
      -- The id of a process, or the name of a server.
      target text not null,
      -- Whether the panel chose the target, as nobody was named.
      is_chosen boolean not null,
      asked_at timestamptz not null default clock_timestamp(),
      -- When the target took writes; -infinity when it was refused.
      over_at timestamptz
    )`,
);
