import { indexing, type AreaMigration } from '#platform/database/migrate.js';

/** What one request caused is found by its id, and security events among all the mutations. */
export const auditRequestsMigration: AreaMigration = indexing(
  '098_audit_requests',
  `create index audit_event_request on identity.audit_event (tenant_id, request_id, sequence)`,
  `create index audit_event_security on identity.audit_event (tenant_id, sequence) where category = 'SECURITY'`,
);
