import type { RowReader } from '#platform/database/database.js';
import type { Consumer } from '#platform/outbox/consumer.js';
import type { DelegationChanged, DelegationReceived } from '#schema/events.js';

import { delegationTopics } from './delegation.service.js';

/** The grants of all tenants that were ended at or after a moment; `em` is one of the jobs role. */
export async function endedDelegationsSince(reader: RowReader, since: Date): Promise<{ id: string }[]> {
  return reader.execute<{ id: string }[]>('select id from identity.delegation where revoked_at >= ?', [
    since.toISOString(),
  ]);
}

/** Tells the provider what its client does: the event of the grant is the client's own. */
export const tellProviders: Consumer = {
  topics: delegationTopics,
  async handle({ em, event, publish }) {
    const { delegationId, providerId } = event.payload as unknown as DelegationChanged;
    const isThere = await em.execute<unknown[]>('select 1 from identity.tenant where id = ?', [providerId]);
    if (isThere.length === 0) return;
    publish({
      topic: 'identity.delegation.received',
      tenantId: providerId,
      entityId: delegationId,
      payload: { delegationId, clientId: event.tenantId } satisfies DelegationReceived,
    });
  },
};
