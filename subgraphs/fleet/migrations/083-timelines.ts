import { migration, type AreaMigration } from '#platform/database/migrate.js';
import { outboxTimelineSql } from '#platform/outbox/timeline.sql.js';

/** Positions in the outbox outlive the server that gave them. */
export const timelinesMigration: AreaMigration = migration('083_timelines', outboxTimelineSql('fleet'));
