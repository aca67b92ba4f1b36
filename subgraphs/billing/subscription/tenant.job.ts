import { keepEntitlement } from '#platform/entitlement/entitlement.consumer.js';
import { Plan } from '#platform/entitlement/plans.js';
import type { Consumer } from '#platform/outbox/consumer.js';
import type { EntitlementGranted, PlanGrantEnded, TenantCreated } from '#schema/events.js';

import { keepProvider } from '../partner/provider-period.service.js';
import type { TenantTime } from '../test-clock/tenant-time.service.js';
import { changed, decide, sourceOf } from './apply.js';
import { PlanSource } from './subscription.entity.js';
import { lockSubscription } from './subscription.store.service.js';

/** Keeps what tenants are called, and whose clients they are. */
export const knowTenants: Consumer = {
  topics: ['identity.tenant.created'],
  async handle({ em, event, now }) {
    const { name, parentTenantId } = event.payload as unknown as TenantCreated;
    const at = event.occurredAt < now ? event.occurredAt : now;
    await keepProvider(em, event.tenantId, parentTenantId ?? null, at);
    await em.execute(
      `insert into billing.subscription (tenant_id, name, parent_tenant_id) values (?, ?, ?)
       on conflict (tenant_id) do update set name = excluded.name, parent_tenant_id = excluded.parent_tenant_id`,
      [event.tenantId, name, parentTenantId ?? null],
    );
  },
};

/**
 * Keeps what is in force for tenants, whoever decided on it: an operator's grant shows in place of what was subscribed to.
 * Grants and decisions may cross; what has come of the newest decision tells how they stand.
 */
export const followEntitlements: Consumer = {
  topics: ['billing.entitlement.granted'],
  async handle({ em, event, publish }) {
    await keepEntitlement(em, 'billing', event.tenantId, event.payload);
    const granted = event.payload as unknown as EntitlementGranted;
    const { source, decision, isReadOnly = false } = granted;
    if (source === undefined) return;
    const row = await lockSubscription(em, event.tenantId);
    const grantedPlan = source !== 'PROVIDER' && granted.plan === row.plan ? null : Plan[granted.plan];
    if (source === 'SUBSCRIPTION') {
      const isKnown = grantedPlan === row.grantedPlan && isReadOnly === row.isReadOnly;
      if (decision !== row.planVersion || isKnown) return;
      row.planSource = grantedPlan ? PlanSource.GRANT : sourceOf(row.plan);
    } else row.planSource = PlanSource[source];
    row.grantedPlan = grantedPlan;
    row.isReadOnly = isReadOnly;
    publish(changed(row));
    await em.flush();
  },
};

/** Goes back to what is subscribed to where an operator ends what was granted. */
export const endGrants = (times: TenantTime): Consumer => ({
  topics: ['identity.tenant.plan-grant-ended'],
  async handle({ em, event, now, publish }) {
    const row = await lockSubscription(em, event.tenantId);
    if (row.planSource !== PlanSource.GRANT) return;
    const { version } = event.payload as unknown as PlanGrantEnded;
    decide(row, await times.at(em, event.tenantId, now), publish, { isAnew: true, endsGrantsTo: version });
    publish(changed(row));
    await em.flush();
  },
});
