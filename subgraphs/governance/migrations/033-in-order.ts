import { indexing, type AreaMigration } from '#platform/database/migrate.js';

/** All that wait to be judged have one revision mostly: some hundred of them are read in the order of an index that has them in theirs. */
export const inOrderMigration: AreaMigration = indexing(
  '033_in_order',
  `create index node_revision_in_order on governance.node (tenant_id, revision, id)`,
  `drop index governance.node_revision`,
);
