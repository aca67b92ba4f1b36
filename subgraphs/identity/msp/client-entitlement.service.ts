import type { SqlEntityManager } from '#platform/database/database.js';
import { keepEntitlement } from '#platform/entitlement/entitlement.consumer.js';
import { planEntitlements } from '#platform/entitlement/plans.js';
import type { ConsumerStep } from '#platform/outbox/consumer.js';
import type { EntitlementGranted, MspClientChanged } from '#schema/events.js';

/**
 * Whether a provider pays for its clients: it has the plan with clients, none of its payments is overdue beyond its grace,
 * and it is not suspended. Only consumers ask, which take one event at a time: what changes while they do is their next.
 */
export async function isPaying(em: SqlEntityManager, providerId: string): Promise<boolean> {
  const rows = await em.execute<unknown[]>(
    `select 1 from identity.tenant t join identity.entitlement e on e.tenant_id = t.id
     where t.id = ? and t.suspended_at is null and not e.is_read_only and 'msp' = any(e.features)`,
    [providerId],
  );
  return rows.length > 0;
}

/** Puts in force what a provider gives to a client. Nothing can be added to it while the provider is not paying. */
export async function grantToClient(
  { em, publish }: Pick<ConsumerStep, 'em' | 'publish'>,
  { clientId: tenantId, plan, instanceLimit }: Pick<MspClientChanged, 'clientId' | 'plan' | 'instanceLimit'>,
  isReadOnly: boolean,
): Promise<void> {
  const [tenant] = await em.execute<{ version: string }[]>(
    `update identity.tenant set plan = ?, plan_version = plan_version + 1 where id = ?
     returning plan_version as version`,
    [plan, tenantId],
  );
  const { features, limits } = planEntitlements[plan];
  const granted = {
    tenantId,
    version: Number(tenant!.version),
    plan,
    // A client has no clients: shares of shares could not be accounted for.
    features: features.filter((feature) => feature !== 'msp'),
    limits: { ...limits, instances: instanceLimit },
    isReadOnly,
    source: 'PROVIDER',
  } satisfies EntitlementGranted;
  // At once, for the next change is compared with it.
  await keepEntitlement(em, 'identity', tenantId, granted);
  publish({
    topic: 'billing.entitlement.granted',
    tenantId,
    entityId: tenantId,
    entityVersion: granted.version,
    payload: granted,
  });
}
