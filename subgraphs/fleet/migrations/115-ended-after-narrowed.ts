import { migration, type AreaMigration } from '#platform/database/migrate.js';

/**
 * Versions of before leave those who were spared in the row of a grant that ends, and move its end alone: nobody is spared
 * unless it is that of when they were named.
 */
export const endedAfterNarrowedMigration: AreaMigration = migration(
  '115_ended_after_narrowed',
  `alter table fleet.ended_maker add column narrowed_at timestamptz`,
  `create or replace function fleet.has_maker_ended(makers text[]) returns boolean
    language sql stable security definer set search_path = pg_catalog as
    $$ select exists (select from fleet.ended_maker m where m.id = any (makers)
         and (m.narrowed_at is distinct from m.ended_at or (m.except_ids && makers) is not true)) $$`,
);
