import type { SqlEntityManager } from './database.js';

/**
 * Waits until no other transaction holds the lock of the name for the tenant, and holds it until its own one ends.
 * `name` is `area.thing`. For what a row can not be locked for, since it may not exist yet. A transaction that holds it
 * may take it again.
 */
export async function advisoryLock(em: SqlEntityManager, name: string, tenantId: string): Promise<void> {
  await em.execute('select pg_advisory_xact_lock(hashtextextended(?, 0))', [`${name} ${tenantId}`]);
}

/** Whether the lock was free, and is had until the transaction ends: for work that somebody else is just doing. */
export async function tryAdvisoryLock(em: SqlEntityManager, name: string, key: string): Promise<boolean> {
  const [answer] = await em.execute<{ isOurs: boolean }[]>(
    'select pg_try_advisory_xact_lock(hashtextextended(?, 0)) as "isOurs"',
    [`${name} ${key}`],
  );
  return answer?.isOurs ?? false;
}
