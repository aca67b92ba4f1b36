import type pg from 'pg';

import { migration, type AreaMigration } from '../database/migrate.js';

/** When the panel's own backup was taken last, for whoever has to know how old it is. A dump holds the time of the one before it. */
export const backupsMigration: AreaMigration = migration(
  '013_backups',
  `create table platform.backup (
      is_only boolean primary key default true check (is_only),
      -- As of when the dump is, by the clock of the database.
      made_at timestamptz not null
    )`,
  `grant select on platform.backup to platform_app`,
);

/** Notes, as the owner, that there is a backup as of a moment. Does nothing in a database from before it kept that. */
export async function noteBackup(owner: pg.Client, madeAt: Date): Promise<void> {
  const { rows } = await owner.query<{ isThere: boolean }>(
    `select to_regclass('platform.backup') is not null as "isThere"`,
  );
  if (!rows[0]?.isThere) return;
  await owner.query(
    `insert into platform.backup as b (made_at) values ($1)
     on conflict (is_only) do update set made_at = greatest(b.made_at, excluded.made_at)`,
    [madeAt],
  );
}
