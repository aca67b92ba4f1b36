import { migration, type AreaMigration } from '#platform/database/migrate.js';
import { outboxTraceSql } from '#platform/outbox/outbox.sql.js';

/** Events say in which trace they were written. */
export const tracesMigration: AreaMigration = migration('091_traces', outboxTraceSql('identity'));
