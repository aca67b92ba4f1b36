import type { SqlEntityManager } from '#platform/database/database.js';
import type { Consumer } from '#platform/outbox/consumer.js';
import type { MspClientChanged } from '#schema/events.js';

import { grantToClient, isPaying } from './client-entitlement.service.js';
import { lockShares } from './shares.service.js';

type Given = Pick<MspClientChanged, 'clientId' | 'plan' | 'instanceLimit'>;

/**
 * Makes a provider's clients read-only while it is not paying, and ends that when it is again: nobody else could, for what
 * a client has is its provider's to decide. What they have goes on, as with any payment that is overdue.
 */
export const followProviders: Consumer = {
  topics: ['billing.entitlement.granted', 'identity.tenant.suspended', 'identity.tenant.restored'],
  bearsLate: true,
  async handle({ em, event, publish }) {
    const { tenantId: providerId } = event;
    // Each share that is given comes by here: whoever gives the next one is not to wait for nothing.
    if ((await toBeTold(em, providerId)).clients.length === 0) return;
    await lockShares(em, providerId);
    const { clients, isReadOnly } = await toBeTold(em, providerId);
    for (const client of clients) await grantToClient({ em, publish }, client, isReadOnly);
  },
};

async function toBeTold(
  em: SqlEntityManager,
  providerId: string,
): Promise<{ clients: Given[]; isReadOnly: boolean }> {
  const isReadOnly = !(await isPaying(em, providerId));
  const clients = await em.execute<Given[]>(
    `select t.id as "clientId", t.plan, (e.limits ->> 'instances')::int as "instanceLimit"
     from identity.msp_client c join identity.tenant t on t.id = c.id join identity.entitlement e on e.tenant_id = c.id
     where c.tenant_id = ? and e.is_read_only <> ? order by c.id`,
    [providerId, isReadOnly],
  );
  return { clients, isReadOnly };
}
