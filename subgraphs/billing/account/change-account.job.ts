import type { Database, SqlEntityManager } from '#platform/database/database.js';
import { systemEm } from '#platform/database/system-em.js';
import { OperatorError } from '#platform/errors.js';
import { appendToOutbox, type OutboxEvent } from '#platform/outbox/outbox.js';
import { auditEvent } from '#platform/subgraph/audit.js';

import { changed, decide } from '../subscription/apply.js';
import { BillingSubscription, newSubscription } from '../subscription/subscription.entity.js';
import { keepAccount, lockAccount } from './account.job.js';
import { isSame, nameOf, type StripeAccount } from './known-account.js';

const atOnce = 200;

/** How many of a kind are in the database. */
export interface AccountFacts {
  kept: StripeAccount;
  customers: number;
}

/** Whose customers are kept, and how many. */
export async function readAccount(
  database: Database,
  found: StripeAccount,
  now: Date,
): Promise<AccountFacts> {
  return systemEm(database).transactional(async (em) => {
    const kept = await lockAccount(em, found, now);
    const [row] = await em.execute<{ customers: number }[]>(
      'select count(*)::int as customers from billing.subscription where customer_id is not null',
    );
    return { kept, customers: row?.customers ?? 0 };
  });
}

/** From now on what is kept is of this account, which knows it: Stripe has copied it there, under the same ids. */
export async function adoptAccount(database: Database, found: StripeAccount, now: Date): Promise<void> {
  await systemEm(database).transactional(async (em) => {
    requireOther(await lockAccount(em, found, now), found);
    await keepAccount(em, found);
  });
}

/**
 * Forgets what the account before knew, and answers of how many tenants: their plan is Free, as after the end of a
 * subscription, unless it was granted. Invoices that were paid and commissions stay. Safe to repeat: what is done is done
 * in parts, and the account is kept with the last one.
 */
export async function forgetAccount(database: Database, found: StripeAccount, now: Date): Promise<number> {
  for (let count = 0; ;) {
    const { events, forgotten } = await systemEm(database).transactional(async (em) => {
      requireOther(await lockAccount(em, found, now), found);
      const published: OutboxEvent[] = [];
      const rows = await em.find(
        BillingSubscription,
        { customerId: { $ne: null } },
        { orderBy: { tenantId: 'asc' }, limit: atOnce },
      );
      for (const row of rows) forget(row, now, (event) => published.push(event));
      await em.flush();
      await forgetBeside(
        em,
        rows.map(({ tenantId }) => tenantId),
        now,
      );
      await appendToOutbox(em, 'billing', published, { requestId: 'stripe:account', at: now });
      if (rows.length < atOnce) await keepAccount(em, found);
      return { events: published, forgotten: rows.length };
    });
    database.announce(events);
    count += forgotten;
    if (forgotten < atOnce) return count;
  }
}

function requireOther(kept: StripeAccount, found: StripeAccount): void {
  if (!isSame(kept, found)) return;
  throw new OperatorError(
    `STRIPE_SECRET_KEY is of ${nameOf(found)}, whose customers are in this database: there is nothing to change`,
  );
}

/** What is the tenant's own stays, as its name and its provider. */
const kept = [
  'tenantId',
  'version',
  'name',
  'parentTenantId',
  'plan',
  'planVersion',
  'grantedPlan',
  'planSource',
  'isReadOnly',
  'lastDecision',
  'closedAt',
  'suspendedAt',
  'hadTrial',
  'ticket',
] as const satisfies readonly (keyof BillingSubscription)[];

function forget(row: BillingSubscription, now: Date, publish: (event: OutboxEvent) => void): void {
  const { tenantId, customerId, stripeId } = row;
  const own = Object.fromEntries(kept.map((name) => [name, row[name]]));
  Object.assign(row, newSubscription(tenantId), own);
  // A look that is under way saw the account before.
  row.ticket += 1;
  row.appliedTicket = row.ticket;
  decide(row, now, publish);
  publish(changed(row));
  publish(
    auditEvent(
      { name: 'forgetPaymentAccount', args: {} },
      {
        tenantId,
        target: tenantId,
        actor: 'svc:billing',
        actorKind: 'service',
        clientAddress: '',
        changes: { customerId, stripeId },
      },
    ),
  );
}

async function forgetBeside(em: SqlEntityManager, tenantIds: readonly string[], now: Date): Promise<void> {
  const ids = JSON.stringify(tenantIds);
  const ofThem = 'tenant_id in (select jsonb_array_elements_text(?::jsonb))';
  await em.execute(
    `update billing.subscription set invoices_from = null, discount_until = null where ${ofThem}`,
    [ids],
  );
  await em.execute(
    `update billing.intent set status = 'ABANDONED', finished_at = ? where status = 'PENDING' and ${ofThem}`,
    [now, ids],
  );
  await em.execute(
    `update billing.test_clock set stripe_clock_id = null, stripe_time = null where ${ofThem}`,
    [ids],
  );
  for (const table of ['invoice_cache', 'sync_request'])
    await em.execute(`delete from billing.${table} where ${ofThem}`, [ids]);
}
