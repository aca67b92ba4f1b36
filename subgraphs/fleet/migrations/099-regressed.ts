import { indexing, type AreaMigration } from '#platform/database/migrate.js';

/**
 * The few instances of which two nodes may use the credential are found without a look at all others. Beats of one node
 * leave the number as it is, so that their updates stay HOT.
 */
export const regressedMigration: AreaMigration = indexing(
  '099_regressed',
  `create index instance_regressed on fleet.instance (tenant_id, id) where regressions >= 3`,
);
