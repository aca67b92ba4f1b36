import { indexing, type AreaMigration } from '#platform/database/migrate.js';

/** The few of a large command's results that are in some status are read without the others. */
export const resultsByStatusMigration: AreaMigration = indexing(
  '103_results_by_status',
  `create index command_invocation_status on fleet.command_invocation (tenant_id, command_id, status, position)`,
);
