import { indexing, migration, type AreaMigration } from '#platform/database/migrate.js';

/**
 * Commands that begin later. Until then all their instances are leased to nobody up to the end of the time for taking them
 * up, so that processes of the version before hand out nothing of them either.
 */
export const plannedCommandsMigration: AreaMigration = migration(
  '105_planned_commands',
  `alter table fleet.command
     add column start_at timestamptz,
     -- When its beginning is looked at; null once it has begun or ended.
     add column due_at timestamptz,
     add column refusal text`,
);

export const plannedDueMigration: AreaMigration = indexing(
  '106_planned_due',
  `create index command_due_at on fleet.command (due_at) where due_at is not null`,
);
