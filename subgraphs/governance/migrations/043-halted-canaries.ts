import { migration, type AreaMigration } from '#platform/database/migrate.js';

/** Since when a canary stands still, as its tenant is suspended: its deadlines move on by as much. */
export const haltedCanariesMigration: AreaMigration = migration(
  '043_halted_canaries',
  'alter table governance.canary add column halted_at timestamptz',
);
