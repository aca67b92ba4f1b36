import { keepEntitlement } from '#platform/entitlement/entitlement.consumer.js';
import { Plan } from '#platform/entitlement/plans.js';
import type { Consumer } from '#platform/outbox/consumer.js';
import type { EntitlementGranted, TenantCreated } from '#schema/events.js';

import { changed } from './apply.js';
import { PlanSource } from './subscription.entity.js';
import { lockSubscription } from './subscription.store.service.js';

/** Keeps what tenants are called, and whose clients they are. */
export const knowTenants: Consumer = {
  topics: ['identity.tenant.created'],
  async handle({ em, event }) {
    const { name, parentTenantId } = event.payload as unknown as TenantCreated;
    await em.execute(
      `insert into billing.subscription (tenant_id, name, parent_tenant_id) values (?, ?, ?)
       on conflict (tenant_id) do update set name = excluded.name, parent_tenant_id = excluded.parent_tenant_id`,
      [event.tenantId, name, parentTenantId ?? null],
    );
  },
};

/** Keeps what is in force for tenants, whoever decided on it: an operator's grant shows in place of what was subscribed to. */
export const followEntitlements: Consumer = {
  topics: ['billing.entitlement.granted'],
  async handle({ em, event, publish }) {
    await keepEntitlement(em, 'billing', event.tenantId, event.payload);
    const { source, plan } = event.payload as unknown as EntitlementGranted;
    if (source === undefined || source === 'SUBSCRIPTION') return;
    const row = await lockSubscription(em, event.tenantId);
    row.grantedPlan = source === 'GRANT' && plan === row.plan ? null : Plan[plan];
    row.planSource = PlanSource[source];
    publish(changed(row));
    await em.flush();
  },
};
