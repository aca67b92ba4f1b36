import { advisoryLock } from './database/advisory-lock.js';
import type { SqlEntityManager } from './database/database.js';
import { ApiError } from './errors.js';

/** How many of something a tenant may have, whatever its plan. */
export interface Room {
  /** The advisory lock of those that add one: `area.table`. */
  lock: string;
  limit: number;
  /** What they are, in the plural. */
  of: string;
  /** The error's reason. */
  reason: string;
}

/**
 * Throws LIMIT_REACHED unless one more fits. Called in the transaction that adds it, before it does: those that add at the
 * same time take turns, and do not exceed the limit together.
 */
export async function requireRoom(
  em: SqlEntityManager,
  { lock, limit, of, reason }: Room,
  tenantId: string,
  count: () => Promise<number>,
): Promise<void> {
  await advisoryLock(em, lock, tenantId);
  const used = await count();
  if (used < limit) return;
  throw new ApiError('LIMIT_REACHED', `There may be ${limit} ${of}`, { reason, details: { limit, used } });
}
