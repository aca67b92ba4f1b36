import type pg from 'pg';

import type { Database, SqlEntityManager } from './database.js';
import { inOneMessage, type ReadValue } from './one-message.js';
import { areaRoles } from './roles.js';

/**
 * An entity manager over all tenants, as `<area>_jobs`. Only background steps (`*.job.ts`) may import this file; the
 * architecture test checks it.
 */
export function systemEm(database: Database): SqlEntityManager {
  return database.forJobs();
}

/** One statement as `<area>_jobs`, for a hot path: it is its own transaction and takes one round trip. */
export async function systemStatement<Row extends pg.QueryResultRow>(
  { connections, area }: Database,
  sql: string,
  values: readonly ReadValue[],
): Promise<Row[]> {
  return inOneMessage(connections, { role: areaRoles(area).jobs, 'app.tenant_id': '' }, sql, values);
}
