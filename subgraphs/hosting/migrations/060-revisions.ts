import { migration, type AreaMigration } from '#platform/database/migrate.js';
import { tenantTableSql } from '#platform/database/row-level-security.js';

/**
 * What was wanted of the panel's deployments before, so that it can be wanted again. What is wanted of them now is their
 * first revision: since when and by whom was not kept.
 */
export const revisionsMigration: AreaMigration = migration(
  '060_revisions',
  `create table hosting.deployment_revision (
    tenant_id text not null,
    deployment_id text not null,
    revision integer not null,
    change_cause text,
    to_revision integer,
    image text not null,
    replicas integer not null,
    changed text[] not null,
    -- Sealed as the deployment's own is, since it has its environment in it.
    sealed_desired text not null,
    created_at timestamptz,
    created_by text,
    primary key (tenant_id, deployment_id, revision),
    -- A deployment and its first revision are written in whatever order.
    foreign key (tenant_id, deployment_id) references hosting.deployment (tenant_id, id) on delete cascade
      deferrable initially deferred
  )`,
  ...tenantTableSql('hosting', 'deployment_revision'),
  `alter table hosting.deployment add column last_revision integer not null default 0`,
  `insert into hosting.deployment_revision (tenant_id, deployment_id, revision, image, replicas, changed, sealed_desired)
     select tenant_id, id, 1, image, replicas, '{}', sealed_desired from hosting.deployment
     where sealed_desired is not null and placement_id is null and deleted_at is null`,
  `update hosting.deployment set last_revision = 1
     where sealed_desired is not null and placement_id is null and deleted_at is null`,
  // In the database, so that nobody who ends a deployment can forget them, the version before this one least of all.
  `create function hosting.forget_revisions() returns trigger language plpgsql set search_path = pg_catalog as $$
    begin
      delete from hosting.deployment_revision where tenant_id = new.tenant_id and deployment_id = new.id;
      return null;
    end $$`,
  `create trigger forget_revisions after update on hosting.deployment
    for each row when (old.deleted_at is null and new.deleted_at is not null and new.is_managed)
    execute function hosting.forget_revisions()`,
);
