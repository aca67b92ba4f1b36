import { indexing, type AreaMigration } from '#platform/database/migrate.js';

/**
 * What waits for a node is read in parts, oldest first: in the order of an index that has nothing else, so that neither
 * what the node was told before nor what waits for others is looked at.
 */
export const waitingInOrderMigration: AreaMigration = indexing(
  '095_waiting_in_order',
  `create index command_invocation_waiting_in_order on fleet.command_invocation (tenant_id, instance_id, command_id)
    where status in ('PENDING', 'DELAYED')`,
  `drop index fleet.command_invocation_waiting`,
);
