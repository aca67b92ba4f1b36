import type { Consumer } from '#platform/outbox/consumer.js';
import type { MspClientChanged } from '#schema/events.js';

import { grantToClient, isPaying } from './client-entitlement.service.js';
import { lockShares } from './shares.service.js';

/**
 * Makes a provider's clients read-only while it is not paying, and ends that when it is again: nobody else could, for what
 * a client has is its provider's to decide. What they have goes on, as with any payment that is overdue.
 */
export const followProviders: Consumer = {
  topics: ['billing.entitlement.granted', 'identity.tenant.suspended', 'identity.tenant.restored'],
  async handle({ em, event, publish }) {
    const { tenantId: providerId } = event;
    await lockShares(em, providerId);
    const isReadOnly = !(await isPaying(em, providerId));
    const clients = await em.execute<Pick<MspClientChanged, 'clientId' | 'plan' | 'instanceLimit'>[]>(
      `select t.id as "clientId", t.plan, (e.limits ->> 'instances')::int as "instanceLimit"
       from identity.msp_client c join identity.tenant t on t.id = c.id join identity.entitlement e on e.tenant_id = c.id
       where c.tenant_id = ? and e.is_read_only <> ? order by c.id for update of t`,
      [providerId, isReadOnly],
    );
    for (const client of clients) await grantToClient({ em, publish }, client, isReadOnly);
  },
};
