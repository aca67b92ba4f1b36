import { migration, type AreaMigration } from '#platform/database/migrate.js';

/** Enrollment tokens are forgotten some time after they have ended. */
export const endedTokensMigration: AreaMigration = migration(
  '101_ended_tokens',
  `create index enrollment_token_expires_at on fleet.enrollment_token (expires_at)`,
);
