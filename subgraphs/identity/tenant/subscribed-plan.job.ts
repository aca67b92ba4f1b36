import { keepEntitlement } from '#platform/entitlement/entitlement.consumer.js';
import { planEntitlements, type Plan } from '#platform/entitlement/plans.js';
import type { Consumer } from '#platform/outbox/consumer.js';
import type { EntitlementGranted, PlanDecided } from '#schema/events.js';

import { lockShares, withoutShares } from '../msp/shares.service.js';

/**
 * Puts in force what a tenant's subscription gives it, less what it has given to its own clients, and tells every area.
 * A plan that an operator has granted holds until the subscription gives something else, also where billing had not heard
 * of it, and what ends a grant ends no later one. What an MSP client has is decided by its provider.
 */
export const followSubscriptions: Consumer = {
  topics: ['billing.plan.decided'],
  async handle({ em, event, publish }) {
    const { tenantId } = event;
    const decided = event.payload as unknown as PlanDecided;
    const { version: decision, keepsPlan = false, endsGrantsTo = null, isReadOnly } = decided;
    await lockShares(em, tenantId);
    const [tenant] = await em.execute<{ plan: Plan; version: string }[]>(
      `update identity.tenant set plan = case when ? then plan else ? end, plan_version = plan_version + 1,
         grant_ended_version = case when ?::bigint is null then grant_ended_version end
       where id = ? and parent_tenant_id is null and coalesce(grant_version <= ?, true) returning plan, plan_version as version`,
      [keepsPlan, decided.plan, endsGrantsTo, tenantId, endsGrantsTo],
    );
    if (!tenant) return;
    const { plan } = tenant;
    const instanceLimit = plan === decided.plan ? decided.instanceLimit : undefined;
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
      decision,
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
