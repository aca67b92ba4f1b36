import type pg from 'pg';

import type { Database, RowReader, SqlEntityManager } from './database.js';
import type { ReadValue } from './one-message.js';

/**
 * An entity manager over all tenants, as `<area>_jobs`. Only background steps (`*.job.ts`) may import this file; the
 * architecture test checks it.
 */
export function systemEm(database: Database): SqlEntityManager {
  return database.forJobs();
}

/** Reads over all tenants, as `<area>_jobs`, each statement in one round trip. */
export function systemReader(database: Database): RowReader {
  return database.readerForJobs();
}

/** As `systemReader`, for what is asked again and again: it shares messages with all that is asked in the same moment. */
export function systemQuestions(database: Database): RowReader {
  return database.questionsForJobs();
}

/** One statement as `<area>_jobs`, for a hot path: it is its own transaction and takes one round trip. */
export async function systemStatement<Row extends pg.QueryResultRow>(
  database: Database,
  sql: string,
  values: readonly ReadValue[],
): Promise<Row[]> {
  return database.readerForJobs().execute<Row[]>(sql, values);
}

/** As `systemStatement`, for the hottest of them: each connection has it parsed and planned once. */
export async function systemPrepared<Row extends pg.QueryResultRow>(
  database: Database,
  sql: string,
  values: readonly ReadValue[],
): Promise<Row[]> {
  return database.preparedForJobs().execute<Row[]>(sql, values);
}
