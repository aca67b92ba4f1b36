import { migration, type AreaMigration } from '#platform/database/migrate.js';

/** A page of a command's results is read in its order, whatever else the command has. */
export const commandPositionsMigration: AreaMigration = migration(
  '074_command_positions',
  `create index command_invocation_position on fleet.command_invocation (tenant_id, command_id, position)`,
);
