import { indexing, type AreaMigration } from '#platform/database/migrate.js';

/** Requests for access are forgotten some time after they have ended. */
export const endedRequestsMigration: AreaMigration = indexing(
  '104_ended_requests',
  `create index delegation_request_expires_at on identity.delegation_request (expires_at)`,
);
