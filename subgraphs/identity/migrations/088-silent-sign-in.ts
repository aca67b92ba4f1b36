import { migration, type AreaMigration } from '#platform/database/migrate.js';

/** Whether a user has let a node in during a session is asked at each of its requests without interaction. */
export const silentSignInMigration: AreaMigration = migration(
  '088_silent_sign_in',
  `create index oauth_issued_session on identity.oauth_issued (tenant_id, session_id, instance_id)`,
);
