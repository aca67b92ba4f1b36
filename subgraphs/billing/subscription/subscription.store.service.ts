import { LockMode } from '@mikro-orm/core';

import type { SqlEntityManager } from '#platform/database/database.js';
import type { Operation } from '#platform/subgraph/operation.js';

import { BillingSubscription, newSubscription } from './subscription.entity.js';

/** A tenant's subscription for reading; that of one which billing has not heard of is Free. */
export async function readSubscription(em: SqlEntityManager, tenantId: string): Promise<BillingSubscription> {
  return (await em.findOne(BillingSubscription, { tenantId })) ?? newSubscription(tenantId);
}

/** Whether the tenant is closed by now, whatever was read before. */
export async function isClosed(em: SqlEntityManager, tenantId: string): Promise<boolean> {
  const found = await em.execute<unknown[]>(
    'select 1 from billing.subscription where tenant_id = ? and closed_at is not null',
    [tenantId],
  );
  return found.length > 0;
}

/** The viewer's own. */
export async function ownSubscription({ em, tenantId }: Operation): Promise<BillingSubscription> {
  return readSubscription(em, tenantId);
}

/** What the tenant's provider is called, whose row it does not see. */
export async function providerName({ em }: Operation): Promise<string | null> {
  const [row] = await em.execute<{ name: string | null }[]>('select billing.provider_name() as name');
  return row?.name ?? null;
}

/** Its row, held until the transaction ends. */
export async function lockSubscription(em: SqlEntityManager, tenantId: string): Promise<BillingSubscription> {
  const lockMode = LockMode.PESSIMISTIC_WRITE;
  const found = await em.findOne(BillingSubscription, { tenantId }, { lockMode });
  if (found) return found;
  await em.execute('insert into billing.subscription (tenant_id) values (?) on conflict do nothing', [
    tenantId,
  ]);
  return em.findOneOrFail(BillingSubscription, { tenantId }, { lockMode });
}

/** Taken right before Stripe is asked: of two answers the one whose ticket is greater is newer, or as new. */
export async function takeTicket(em: SqlEntityManager, tenantId: string): Promise<number> {
  const [row] = await em.execute<{ ticket: string }[]>(
    'update billing.subscription set ticket = ticket + 1 where tenant_id = ? returning ticket',
    [tenantId],
  );
  if (!row) throw new Error('a ticket is taken for a subscription that has a row');
  return Number(row.ticket);
}
