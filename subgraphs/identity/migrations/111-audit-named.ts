import { indexing, type AreaMigration } from '#platform/database/migrate.js';

/** Finds what names somebody in any trail, while it does. */
export const auditNamedMigration: AreaMigration = indexing(
  '111_audit_named',
  `create index audit_event_named on identity.audit_event (actor) where actor_email is not null`,
  `create index audit_event_stranger on identity.audit_event (actor_tenant_id) where actor_tenant_name is not null`,
  `create index audit_event_personal on identity.audit_event using gin (personal jsonb_path_ops) where personal is not null`,
);
