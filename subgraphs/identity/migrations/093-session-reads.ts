import { indexing, type AreaMigration } from '#platform/database/migrate.js';

/**
 * Each sign-in asks for the sessions of its user that live, and for whether there was one from its network: neither may
 * cost more for all those that ended within a month.
 */
export const sessionReadsMigration: AreaMigration = indexing(
  '093_session_reads',
  `create index session_live on identity.session (tenant_id, user_id, id) where revoked_at is null`,
  `create index session_network on identity.session (tenant_id, user_id, network, created_at)`,
  // The one by network begins as it did.
  `drop index identity.session_by_user`,
);
