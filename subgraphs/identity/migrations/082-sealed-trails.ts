import { migration, type AreaMigration } from '#platform/database/migrate.js';

/** Whoever registers a tenant seals its empty trail; without SECRETS_KEY nobody makes a seal that is good. */
export const sealedTrailsMigration: AreaMigration = migration(
  '082_sealed_trails',
  `grant update (sealed_head) on identity.audit_head to identity_app`,
);
