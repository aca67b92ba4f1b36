import { indexing, type AreaMigration } from '#platform/database/migrate.js';

/** Every process asks each few seconds which grants are for others than before. */
export const namedUsersChangedMigration: AreaMigration = indexing(
  '107_named_users_changed',
  `create index delegation_users_changed on identity.delegation (users_changed_at) where users_changed_at is not null`,
);
