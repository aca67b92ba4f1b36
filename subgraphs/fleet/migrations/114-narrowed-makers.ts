import { migration, type AreaMigration } from '#platform/database/migrate.js';

/** A grant that is narrowed to named users has ended for all others. */
export const narrowedMakersMigration: AreaMigration = migration(
  '114_narrowed_makers',
  `alter table fleet.ended_maker add column except_ids text[]`,
  // Who is spared is among those asked for: a token has both a grant and a user for its makers.
  `create or replace function fleet.has_maker_ended(makers text[]) returns boolean
    language sql stable security definer set search_path = pg_catalog as
    $$ select exists (select from fleet.ended_maker m where m.id = any (makers)
         and (m.except_ids is null or not m.except_ids && makers)) $$`,
);
