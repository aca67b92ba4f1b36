import { migration, type AreaMigration } from '#platform/database/migrate.js';
import { outboxListeningSql } from '#platform/outbox/unheard.sql.js';

/** Versions of other topics may consume in turn. */
export const listeningMigration: AreaMigration = migration('025_listening', outboxListeningSql('billing'));
