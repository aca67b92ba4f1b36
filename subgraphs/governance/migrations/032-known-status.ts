import { migration, type AreaMigration } from '#platform/database/migrate.js';

/** Whether a node is online was known only of those that had been offline before. */
export const knownStatusMigration: AreaMigration = migration(
  '032_known_status',
  `update governance.node set facts = facts || jsonb_build_object('instance.status',
     case status when 'OFFLINE' then 'offline' else 'online' end)
   where status is not null and facts->'instance.status' is null`,
);
