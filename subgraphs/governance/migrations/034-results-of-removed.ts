import { migration, type AreaMigration } from '#platform/database/migrate.js';

/**
 * Results of a policy that is removed are taken away as instances are judged anew, and no longer all with the policy: that
 * had each of a tenant's instances locked.
 */
export const resultsOfRemovedMigration: AreaMigration = migration(
  '034_results_of_removed',
  `alter table governance.result drop constraint result_tenant_id_policy_id_fkey`,
);
