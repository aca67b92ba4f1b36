import { migration, type AreaMigration } from '#platform/database/migrate.js';
import { tenantTableSql } from '#platform/database/row-level-security.js';

/** Enrollment tokens end with their maker: a user, an API key, or a provider's user under a grant. */
export const makersMigration: AreaMigration = migration(
  '088_makers',
  `alter table fleet.enrollment_token add column grant_id text, add column revoked_reason text`,
  `create index enrollment_token_created_by on fleet.enrollment_token (created_by) where revoked_at is null`,
  `create index enrollment_token_grant on fleet.enrollment_token (grant_id)
    where revoked_at is null and grant_id is not null`,

  // Whose access has ended lately: a token of theirs that is just being made must not stay.
  `create table fleet.ended_maker (
    tenant_id text not null,
    id text not null,
    ended_at timestamptz not null,
    primary key (tenant_id, id)
  )`,
  `create index ended_maker_id on fleet.ended_maker (id)`,
  `create index ended_maker_ended_at on fleet.ended_maker (ended_at)`,
  ...tenantTableSql('fleet', 'ended_maker'),
  // A provider's user and their client are of different tenants.
  `create function fleet.has_maker_ended(makers text[]) returns boolean
    language sql stable security definer set search_path = pg_catalog as
    $$ select exists (select from fleet.ended_maker m where m.id = any (makers)) $$`,
  `revoke execute on function fleet.has_maker_ended(text[]) from public`,
  `grant execute on function fleet.has_maker_ended(text[]) to fleet_app, fleet_jobs`,
);
