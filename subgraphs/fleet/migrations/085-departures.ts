import { migration, type AreaMigration } from '#platform/database/migrate.js';

/** Nodes that said that they stop. Only the newest departure is kept, and the next beat ends what it says. */
export const departuresMigration: AreaMigration = migration(
  '085_departures',
  `alter table fleet.instance add column stopped_at timestamptz`,
);
