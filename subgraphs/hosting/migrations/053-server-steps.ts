import { migration, type AreaMigration } from '#platform/database/migrate.js';

/** How a server came to where it is. Of those that are there only the first and the last step are known. */
export const serverStepsMigration: AreaMigration = migration(
  '053_server_steps',
  `alter table hosting.server add column steps jsonb not null default '[]'`,
  `update hosting.server set steps = case
       when phase in ('REQUESTED', 'ORPHANED') then '[]'::jsonb
       else jsonb_build_array(jsonb_build_object('phase', 'REQUESTED', 'at', ${asInstant('created_at')}, 'message', null))
     end || jsonb_build_object('phase', phase, 'at', ${asInstant('phase_at')}, 'message', message)`,
);

function asInstant(column: string): string {
  return `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
}
