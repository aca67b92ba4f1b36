import type { Database, SqlEntityManager } from './database.js';

/**
 * An entity manager over all tenants, as `<area>_jobs`. Only background steps (`*.job.ts`) may import this file; the
 * architecture test checks it.
 */
export function systemEm(database: Database): SqlEntityManager {
  return database.forJobs();
}
