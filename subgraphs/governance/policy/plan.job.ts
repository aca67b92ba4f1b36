import { keepEntitlement } from '#platform/entitlement/entitlement.consumer.js';
import type { Consumer } from '#platform/outbox/consumer.js';

import { judgeLater, tellRulesChanged } from '../result/rules-changed.service.js';
import { mostInForce, suspendedPolicies } from './in-force.service.js';

/**
 * Keeps what tenants may use. Where policies lose their say by it, or have it again, all that the tenant has is judged anew,
 * and those are told of who know its mandatory ones.
 */
export const followEntitlements: Consumer = {
  topics: ['billing.entitlement.granted'],
  bearsLate: true,
  async handle({ em, event: { tenantId, payload }, now, publish }) {
    const [most, suspended] = [await mostInForce(em, tenantId), await suspendedPolicies(em, tenantId)];
    await keepEntitlement(em, 'governance', tenantId, payload);
    if ((await mostInForce(em, tenantId)) === most) return;
    // Also of a tenant that has no more than three: one may be about to make another, and waits for this.
    const [first] = [...suspended, ...(await suspendedPolicies(em, tenantId))];
    await tellRulesChanged({ em, publish }, tenantId, now, first === undefined ? null : { policyId: first });
    await judgeLater(em, tenantId, now);
  },
};
