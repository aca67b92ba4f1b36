import { LockMode } from '@mikro-orm/core';

import type { SqlEntityManager } from '#platform/database/database.js';

import { newTestClock, TestClock } from './test-clock.entity.js';

/** For reading. */
export async function readTestClock(em: SqlEntityManager, tenantId: string): Promise<TestClock> {
  return (await em.findOne(TestClock, { tenantId })) ?? newTestClock(tenantId);
}

/** Its row, held until the transaction ends. */
export async function lockTestClock(em: SqlEntityManager, tenantId: string): Promise<TestClock> {
  await em.execute('insert into billing.test_clock (tenant_id) values (?) on conflict do nothing', [
    tenantId,
  ]);
  return em.findOneOrFail(TestClock, { tenantId }, { lockMode: LockMode.PESSIMISTIC_WRITE });
}
