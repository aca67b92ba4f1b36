import { migration, type AreaMigration } from '#platform/database/migrate.js';

/** A token may be of one server that is being provisioned: it keeps that server's place under the plan's limit. */
export const serverTokensMigration: AreaMigration = migration(
  '091_server_tokens',
  `alter table fleet.enrollment_token add column server_id text, add column bound_hostname text`,
  `create index enrollment_token_server on fleet.enrollment_token (tenant_id, server_id) where server_id is not null`,
);
