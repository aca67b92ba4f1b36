import { indexing, type AreaMigration } from '#platform/database/migrate.js';

/** Keys, grants and clients are forgotten some time after they have ended. */
export const endedAccessMigration: AreaMigration = indexing(
  '094_ended_access',
  `create index api_key_expires_at on identity.api_key (expires_at)`,
  `create index delegation_expires_at on identity.delegation (expires_at)`,
  `create index oauth_client_revoked on identity.oauth_client (revoked_at) where revoked_at is not null`,
);
