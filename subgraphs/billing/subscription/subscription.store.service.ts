import { LockMode } from '@mikro-orm/core';

import type { SqlEntityManager } from '#platform/database/database.js';
import type { Operation } from '#platform/subgraph/operation.js';

import { BillingSubscription, newSubscription } from './subscription.entity.js';

/** A tenant's subscription for reading; that of one which billing has not heard of is Free. */
export async function readSubscription(em: SqlEntityManager, tenantId: string): Promise<BillingSubscription> {
  return (await em.findOne(BillingSubscription, { tenantId })) ?? newSubscription(tenantId);
}

/** The viewer's own. */
export async function ownSubscription({ em, tenantId }: Operation): Promise<BillingSubscription> {
  return readSubscription(em, tenantId);
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

/** A look at Stripe that is about to begin. */
export interface Look {
  customerId: string;
  ticket: number;
  /** How often it was asked for by now; undefined when nobody did. */
  wanted: string | undefined;
  /** By the database's clock: what was told before is part of what will be seen. */
  at: string;
}

/** Takes a ticket with all that a look needs, in one statement; undefined for a tenant without a customer. */
export async function beginLook(em: SqlEntityManager, tenantId: string): Promise<Look | undefined> {
  const [row] = await em.execute<{ customerId: string; ticket: string; wanted: string | null; at: string }[]>(
    `update billing.subscription s set ticket = s.ticket + 1
     where s.tenant_id = ? and s.customer_id is not null
     returning s.customer_id as "customerId", s.ticket, clock_timestamp()::text as at,
       (select r.wanted from billing.sync_request r where r.tenant_id = s.tenant_id) as wanted`,
    [tenantId],
  );
  return row && { ...row, ticket: Number(row.ticket), wanted: row.wanted ?? undefined };
}

/**
 * Marks what was told before the look as applied, and ends the request for it. False when something was told while it
 * went on: the request then stays.
 */
export async function endLook(
  em: SqlEntityManager,
  tenantId: string,
  { wanted, at }: Look,
  now: Date,
): Promise<boolean> {
  const [row] = await em.execute<{ isDone: boolean }[]>(
    `with applied as (
       update billing.webhook_event set applied_at = ?
       where tenant_id = ? and applied_at is null and taken_at < ?::timestamptz),
     done as (delete from billing.sync_request where tenant_id = ? and wanted <= ? returning 1)
     select exists (select 1 from done) as "isDone"`,
    [now, tenantId, at, tenantId, wanted ?? 0],
  );
  if (row?.isDone || wanted === undefined) return true;
  await em.execute('update billing.sync_request set wanted = 1, wanted_at = ? where tenant_id = ?', [
    now,
    tenantId,
  ]);
  return false;
}
