import { migration, type AreaMigration } from '#platform/database/migrate.js';
import { tenantTableSql } from '#platform/database/row-level-security.js';

/** Instances that leave, credentials that are exchanged or refused, and one credential in two hands. */
export const lifecycleMigration: AreaMigration = migration(
  '072_lifecycle',
  // None of these is indexed, so that beats stay HOT updates.
  `alter table fleet.instance
    add column candidate_generation integer,
    add column regressions integer not null default 0,
    add column regressed_at timestamptz`,

  // A token that lets one instance come back as itself.
  `alter table fleet.enrollment_token add column instance_id text`,
  `create index enrollment_token_instance on fleet.enrollment_token (tenant_id, instance_id)
    where instance_id is not null`,

  `create table fleet.revoked_credential (
    tenant_id text not null,
    instance_id text not null,
    below_generation integer not null,
    revoked_at timestamptz not null,
    primary key (tenant_id, instance_id)
  )`,
  `create index revoked_credential_revoked_at on fleet.revoked_credential (revoked_at)`,
  ...tenantTableSql('fleet', 'revoked_credential'),

  `create table fleet.former_instance (
    tenant_id text not null,
    id text not null,
    name text not null,
    hostname text not null,
    version text not null,
    tags text[] not null,
    enrolled_at timestamptz not null,
    last_seen_at timestamptz,
    decommissioned_at timestamptz not null,
    decommissioned_by text not null,
    primary key (tenant_id, id)
  )`,
  `create index former_instance_decommissioned_at on fleet.former_instance (decommissioned_at)`,
  ...tenantTableSql('fleet', 'former_instance'),
);
