import { indexing, type AreaMigration } from '#platform/database/migrate.js';

/** Whoever is next at a command is looked for from where the last look ended, among those that have yet to begin. */
export const nextInTurnMigration: AreaMigration = indexing(
  '098_next_in_turn',
  `alter table fleet.command add column next_position integer not null default 0`,
  `create index command_invocation_next on fleet.command_invocation (tenant_id, command_id, position)
    where status in ('PENDING', 'DELAYED') and leased_until is null`,
);
