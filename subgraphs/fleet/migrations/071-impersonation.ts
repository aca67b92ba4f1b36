import { migration, type AreaMigration } from '#platform/database/migrate.js';
import { tenantTableSql } from '#platform/database/row-level-security.js';

/** The tokens that were used: a second insert of the same one fails, and that failure is the refusal. */
export const impersonationMigration: AreaMigration = migration(
  '071_impersonation',
  `create table fleet.impersonation_redemption (
    tenant_id text not null,
    jti text not null,
    instance_id text not null,
    expires_at timestamptz not null,
    primary key (tenant_id, jti)
  )`,
  `create index impersonation_redemption_expires_at on fleet.impersonation_redemption (expires_at)`,
  ...tenantTableSql('fleet', 'impersonation_redemption'),
);
