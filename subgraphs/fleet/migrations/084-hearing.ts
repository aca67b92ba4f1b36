import { migration, type AreaMigration } from '#platform/database/migrate.js';

/** When the panel could hear its nodes: their silence counts only then. One row for the whole panel, of no tenant. */
export const hearingMigration: AreaMigration = migration(
  '084_hearing',
  `create table fleet.hearing (
    id boolean primary key default true check (id),
    heard_until timestamptz not null,
    lost_at timestamptz not null,
    counts_again_at timestamptz not null
  ) with (fillfactor = 50)`,
  `grant select on fleet.hearing to fleet_app`,
  `grant select, insert, update on fleet.hearing to fleet_jobs`,
  // The twin of silenceAt (hearing.rules.ts).
  `create function fleet.silence_counts_to(at timestamptz) returns timestamptz language sql stable as
    $$ select coalesce((select least(at, h.lost_at) from fleet.hearing h where at < h.counts_again_at), at) $$`,
  `revoke execute on function fleet.silence_counts_to(timestamptz) from public`,
  `grant execute on function fleet.silence_counts_to(timestamptz) to fleet_app, fleet_jobs`,
);
