import { migration, type AreaMigration } from '#platform/database/migrate.js';

/** What a cluster took last of a deployment is what is wanted of it when the cluster refuses the next. */
export const takenMigration: AreaMigration = migration(
  '033_taken',
  `alter table hosting.deployment add column sealed_taken text`,
  `update hosting.deployment set sealed_taken = sealed_desired where sealed_desired is not null and due_at is null
     and (reason is null or reason not in ('REFUSED', 'FIELD_CONFLICT', 'TOO_LATE'))`,
);
