import { LockMode } from '@mikro-orm/core';

import { advisoryLock } from '#platform/database/advisory-lock.js';
import type { SqlEntityManager } from '#platform/database/database.js';
import { newId } from '#platform/ids.js';
import type { OutboxEvent } from '#platform/outbox/outbox.js';
import type { PartnerChanged } from '#schema/events.js';

import { tierFor, tierOf } from './partner-tiers.js';
import { Partner, PartnerStatus } from './partner.entity.js';
import { PartnerTierChange, type TierChangeReason } from './tier-change.entity.js';

/** Before its customers are counted, whether it has a record yet or not: who registers meanwhile counts after. */
export async function lockPartner(em: SqlEntityManager, tenantId: string): Promise<void> {
  await advisoryLock(em, 'billing.partner', tenantId);
}

/** The tenant's registration that was not rejected, held until the transaction ends. Called under the lock. */
export async function openPartner(em: SqlEntityManager, tenantId: string): Promise<Partner | null> {
  return em.findOne(
    Partner,
    { tenantId, status: { $ne: PartnerStatus.REJECTED } },
    { lockMode: LockMode.PESSIMISTIC_WRITE },
  );
}

/** Its clients' instances and its own, as fleet has told them. */
export async function countInstances(em: SqlEntityManager, tenantId: string): Promise<number> {
  const [row] = await em.execute<{ instances: number }[]>(
    `select (
       coalesce((select used from billing.usage_level where tenant_id = ? and metric = 'instances'), 0)
       + coalesce((select sum(instances) from billing.partner_customer where tenant_id = ?), 0)
     )::int as instances`,
    [tenantId, tenantId],
  );
  return row?.instances ?? 0;
}

/** Gives a partner the tier of what its customers have now. Answers the change, which is kept; undefined for none. */
export async function retier(
  em: SqlEntityManager,
  partner: Partner,
  { reason, now }: { reason: TierChangeReason; now: Date },
): Promise<PartnerTierChange | undefined> {
  const { tenantId, id: partnerId, tierId: fromTier } = partner;
  partner.instances = await countInstances(em, tenantId);
  const toTier = partner.status === PartnerStatus.APPROVED ? (tierFor(partner.instances)?.id ?? null) : null;
  if (toTier === fromTier) return undefined;
  partner.tierId = toTier;
  const change = Object.assign(new PartnerTierChange(), {
    tenantId,
    id: newId('partnerTierChange'),
    partnerId,
    fromTier,
    toTier,
    instances: partner.instances,
    reason,
    changedAt: now,
  });
  em.persist(change);
  return change;
}

/** That it is another from now on; what is not told of it before was the same. */
export function partnerChanged(
  partner: Partner,
  {
    fromStatus = partner.status,
    fromTier = partner.tierId,
  }: Partial<Pick<PartnerChanged, 'fromStatus' | 'fromTier'>> = {},
): OutboxEvent {
  partner.version += 1;
  const { tenantId, id, name, version, status, tierId: tier, instances, discountPercent } = partner;
  return {
    topic: 'billing.partner.changed',
    tenantId,
    entityId: id,
    entityVersion: version,
    payload: {
      partnerId: id,
      name,
      fromStatus,
      status,
      fromTier,
      tier,
      tierName: tierOf(tier)?.name ?? null,
      instances,
      discountPercent,
    } satisfies PartnerChanged,
  };
}
