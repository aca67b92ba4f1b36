import type { SqlEntityManager } from '#platform/database/database.js';
import type { Consumer, ConsumerStep } from '#platform/outbox/consumer.js';
import { auditEvent } from '#platform/subgraph/audit.js';
import type { PartnerChanged, TenantErased } from '#schema/events.js';

import { lockPartner, openPartner, partnerChanged, retier } from './retier.service.js';
import { TierChangeReason } from './tier-change.entity.js';

/**
 * Counts what the customers of providers have, and gives partners the tier of it. Comes after the projections of tenants
 * and of use, which it reads.
 */
export const countPartnerCustomers: Consumer = {
  topics: ['fleet.instances.counted', 'identity.tenant.created', 'identity.tenant.erased'],
  async handle(step) {
    switch (step.event.topic) {
      case 'identity.tenant.erased':
        return end(step);
      case 'identity.tenant.created':
        return join(step);
      default:
        return count(step);
    }
  },
};

async function count(step: ConsumerStep): Promise<void> {
  const { em, event } = step;
  const customerId = event.tenantId;
  const provider = await providerOf(em, customerId);
  const seller = provider ?? customerId;
  await lockPartner(em, seller);
  if (provider !== null) await keepCustomer(step, provider, customerId);
  await retierOf(step, seller);
}

/** A tenant that is a provider's client, or another provider's than before: what it pays is that one's terms from now on. */
async function join(step: ConsumerStep): Promise<void> {
  const { em, event, now } = step;
  const customerId = event.tenantId;
  const provider = await providerOf(em, customerId);
  await leave(step, customerId, provider);
  await em.execute(
    'update billing.subscription set reconcile_at = ? where tenant_id = ? and customer_id is not null',
    [now, customerId],
  );
  if (provider === null) return;
  await lockPartner(em, provider);
  await keepCustomer(step, provider, customerId);
  await retierOf(step, provider);
}

/** What is counted of it from now on, until its rows are gone, is nobody's. */
async function end(step: ConsumerStep): Promise<void> {
  const { tenantId } = step.event.payload as unknown as TenantErased;
  await step.em.execute('update billing.subscription set parent_tenant_id = null where tenant_id = ?', [
    tenantId,
  ]);
  await leave(step, tenantId, null);
}

/** Takes it from all providers but one. */
async function leave(step: ConsumerStep, customerId: string, except: string | null): Promise<void> {
  const { em } = step;
  const left = await em.execute<{ seller: string }[]>(
    `delete from billing.partner_customer where customer_id = ? and tenant_id <> coalesce(?, '')
     returning tenant_id as seller`,
    [customerId, except],
  );
  for (const { seller } of left) {
    await lockPartner(em, seller);
    await retierOf(step, seller);
  }
}

async function providerOf(em: SqlEntityManager, tenantId: string): Promise<string | null> {
  const [row] = await em.execute<{ provider: string | null }[]>(
    'select parent_tenant_id as provider from billing.subscription where tenant_id = ?',
    [tenantId],
  );
  return row?.provider ?? null;
}

async function keepCustomer({ em, now }: ConsumerStep, seller: string, customerId: string): Promise<void> {
  await em.execute(
    `insert into billing.partner_customer (tenant_id, customer_id, instances, since)
     values (?, ?, coalesce((select used from billing.usage_level where tenant_id = ? and metric = 'instances'), 0)::int, ?)
     on conflict (tenant_id, customer_id) do update set instances = excluded.instances`,
    [seller, customerId, customerId, now],
  );
}

/** Under the partner's lock. */
async function retierOf({ em, event, now, publish }: ConsumerStep, tenantId: string): Promise<void> {
  const partner = await openPartner(em, tenantId);
  if (!partner) return;
  const change = await retier(em, partner, { reason: TierChangeReason.INSTANCES, now });
  if (!change) return;
  const { fromTier, toTier, instances } = change;
  publish(partnerChanged(partner, { fromTier }));
  publish({
    ...auditEvent(
      { name: 'changePartnerTier', args: {} },
      {
        tenantId,
        target: partner.id,
        actor: 'svc:billing',
        actorKind: 'service',
        clientAddress: '',
        changes: { from: fromTier, to: toTier, instances },
      },
    ),
    causedBy: event.causedBy,
  });
}

/**
 * Has the subscriptions of a partner's customers looked at when its tier is another: each is asked for by its own job,
 * which then sets its discount.
 */
export const spreadPartnerTiers: Consumer = {
  topics: ['billing.partner.changed'],
  async handle({ em, event, now }) {
    const { fromTier, tier } = event.payload as unknown as PartnerChanged;
    if (fromTier === tier) return;
    await em.execute(
      // In the order in which all lock several.
      `update billing.subscription set reconcile_at = ? where tenant_id in (
         select tenant_id from billing.subscription
         where (tenant_id = ? or parent_tenant_id = ?) and customer_id is not null
         order by tenant_id for no key update)`,
      [now, event.tenantId, event.tenantId],
    );
  },
};
