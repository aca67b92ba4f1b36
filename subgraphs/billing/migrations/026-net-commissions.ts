import { migration, type AreaMigration } from '#platform/database/migrate.js';

/** Commissions are of what is without taxes. */
export const netCommissionsMigration: AreaMigration = migration(
  '026_net_commissions',
  // Null where taxes were not told apart, and all that was paid has earned.
  `alter table billing.commission add column net_amount bigint`,
);
