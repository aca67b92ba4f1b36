import { migration, type AreaMigration } from '#platform/database/migrate.js';

/** Who did what the trail tells of, by the name they had then; and who ended a grant. */
export const whoDidItMigration: AreaMigration = migration(
  '109_who_did_it',
  `alter table identity.audit_event
    add column actor_name text,
    add column actor_email text,
    add column actor_tenant_id text,
    add column actor_tenant_name text`,
  `alter table identity.delegation add column revoked_by text`,
);
