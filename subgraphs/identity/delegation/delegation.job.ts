import type { RowReader } from '#platform/database/database.js';
import type { Consumer } from '#platform/outbox/consumer.js';
import { auditEvent } from '#platform/subgraph/audit.js';
import type { DelegationChanged, DelegationReceived, MemberChanged } from '#schema/events.js';

import type { Delegation } from './delegation.entity.js';
import { delegationTopics, tell } from './delegation.service.js';

/** The grants of all tenants that were ended at or after a moment; `em` is one of the jobs role. */
export async function endedDelegationsSince(reader: RowReader, since: Date): Promise<{ id: string }[]> {
  return reader.execute<{ id: string }[]>('select id from identity.delegation where revoked_at >= ?', [
    since.toISOString(),
  ]);
}

/** Those that are for others than before, and for whom alone. */
export async function limitedDelegationsSince(
  reader: RowReader,
  since: Date,
): Promise<{ id: string; userIds: string[] }[]> {
  return reader.execute<{ id: string; userIds: string[] }[]>(
    'select id, user_ids as "userIds" from identity.delegation where users_changed_at >= ?',
    [since.toISOString()],
  );
}

/**
 * Takes whoever left a provider from the grants that name them, of which the client is told. One who was the last of them
 * leaves it to nobody.
 */
export const dropFormerUsers: Consumer = {
  topics: ['identity.member.changed'],
  async handle({ em, event, now, publish }) {
    const { userId, role } = event.payload as unknown as MemberChanged;
    if (role !== null) return;
    const limited = await em.execute<Pick<Delegation, 'tenantId' | 'id' | 'providerId' | 'userIds'>[]>(
      `update identity.delegation set user_ids = array_remove(user_ids, ?), users_changed_at = ?
       where provider_id = ? and ? = any(user_ids) and revoked_at is null and expires_at > ?
       returning tenant_id as "tenantId", id, provider_id as "providerId", user_ids as "userIds"`,
      [userId, now, event.tenantId, userId, now],
    );
    for (const delegation of limited) {
      const { tenantId, id: target, userIds } = delegation;
      tell({ publish }, 'identity.delegation.limited', delegation);
      publish({
        ...auditEvent(
          { name: 'limitDelegation', args: {} },
          {
            tenantId,
            target,
            actor: 'svc:identity',
            actorKind: 'service',
            clientAddress: '',
            changes: { reason: 'MEMBER_REMOVED', user: userId, users: userIds },
          },
        ),
        ...(event.causedBy === undefined ? {} : { causedBy: event.causedBy }),
      });
    }
  },
};

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
