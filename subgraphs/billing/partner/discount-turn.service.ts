import type { SqlEntityManager } from '#platform/database/database.js';

import { lockSubscription } from '../subscription/subscription.store.service.js';

/**
 * Takes the turn to set a tenant's discount at Stripe: no change of its subscription is begun meanwhile, so that neither
 * writes what it read before the other. Undefined while a change is under way, or somebody else's turn. It ends by itself
 * after two minutes, which is longer than the calls of a turn take.
 */
export async function takeDiscountTurn(em: SqlEntityManager, tenantId: string): Promise<string | undefined> {
  // A change is written down under the same lock.
  await lockSubscription(em, tenantId);
  const [taken] = await em.execute<{ until: string }[]>(
    `update billing.subscription set discount_until = clock_timestamp() + interval '2 minutes'
     where tenant_id = ? and (discount_until is null or discount_until <= clock_timestamp())
       and not exists (select 1 from billing.intent where tenant_id = ? and status = 'PENDING')
     returning discount_until::text as until`,
    [tenantId, tenantId],
  );
  return taken?.until;
}

export async function endDiscountTurn(em: SqlEntityManager, tenantId: string, until: string): Promise<void> {
  await em.execute(
    'update billing.subscription set discount_until = null where tenant_id = ? and discount_until = ?::timestamptz',
    [tenantId, until],
  );
}

/** Whether somebody has it. Under the lock of the subscription. */
export async function isDiscountTurn(em: SqlEntityManager, tenantId: string): Promise<boolean> {
  const taken = await em.execute<unknown[]>(
    'select 1 from billing.subscription where tenant_id = ? and discount_until > clock_timestamp()',
    [tenantId],
  );
  return taken.length > 0;
}
