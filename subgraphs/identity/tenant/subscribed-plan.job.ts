import { keepEntitlement } from '#platform/entitlement/entitlement.consumer.js';
import { planEntitlements } from '#platform/entitlement/plans.js';
import type { Consumer } from '#platform/outbox/consumer.js';
import type { EntitlementGranted, PlanDecided } from '#schema/events.js';

import { lockShares, withoutShares } from '../msp/shares.service.js';

/**
 * Puts in force what a tenant's subscription gives it, less what it has given to its own clients, and tells every area.
 * A plan that an operator has granted holds until the subscription gives something else. What an MSP client has is
 * decided by its provider.
 */
export const followSubscriptions: Consumer = {
  topics: ['billing.plan.decided'],
  async handle({ em, event, publish }) {
    const { tenantId } = event;
    const { plan, instanceLimit, isReadOnly } = event.payload as unknown as PlanDecided;
    await lockShares(em, tenantId);
    const [tenant] = await em.execute<{ version: string }[]>(
      `update identity.tenant set plan = ?, plan_version = plan_version + 1
       where id = ? and parent_tenant_id is null returning plan_version as version`,
      [plan, tenantId],
    );
    if (!tenant) return;
    const { features, limits } = planEntitlements[plan];
    const version = Number(tenant.version);
    const granted = {
      tenantId,
      version,
      plan,
      features: [...features],
      limits: { ...limits, ...(instanceLimit === undefined ? {} : { instances: instanceLimit }) },
      isReadOnly,
      source: 'SUBSCRIPTION',
    } satisfies EntitlementGranted;
    await keepEntitlement(em, 'identity', tenantId, granted);
    publish({
      topic: 'billing.entitlement.granted',
      tenantId,
      entityId: tenantId,
      entityVersion: version,
      payload: {
        ...granted,
        limits: await withoutShares(em, tenantId, granted.limits),
      } satisfies EntitlementGranted,
    });
  },
};
