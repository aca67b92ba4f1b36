import pg from 'pg';

import type { Database, SqlEntityManager } from './database.js';
import { areaRoles } from './roles.js';

/**
 * An entity manager over all tenants, as `<area>_jobs`. Only background steps (`*.job.ts`) may import this file; the
 * architecture test checks it.
 */
export function systemEm(database: Database): SqlEntityManager {
  return database.forJobs();
}

/**
 * Connections that are `<area>_jobs` from their start, for a hot path of single statements: each is its own transaction
 * and takes one round trip. What takes longer than `statementSeconds` is cancelled.
 */
export function systemPool(database: Database, options: { size: number; statementSeconds: number }): pg.Pool {
  const ms = options.statementSeconds * 1000;
  const pool = new pg.Pool({
    connectionString: database.url,
    max: options.size,
    options: `-c role=${areaRoles(database.area).jobs} -c statement_timeout=${ms} -c lock_timeout=${ms / 2}`,
    connectionTimeoutMillis: 5_000,
    keepAlive: true,
  });
  // A connection lost while idle is replaced at the next use.
  pool.on('error', () => undefined);
  return pool;
}
