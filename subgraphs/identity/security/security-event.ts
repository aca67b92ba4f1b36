import type { OutboxEvent } from '#platform/outbox/outbox.js';
import type { Operation } from '#platform/subgraph/operation.js';
import type { SecurityRecorded } from '#schema/events.js';

export type SecurityFact = Pick<SecurityRecorded, 'action' | 'userId' | 'reason'>;

/** Something that whoever watches over a tenant wants to see, though it changed nothing. */
export function securityEvent(operation: Operation, tenantId: string, fact: SecurityFact): OutboxEvent {
  const payload = { ...fact, clientAddress: operation.request.clientAddress } satisfies SecurityRecorded;
  return { topic: 'audit.security.recorded', tenantId, entityId: fact.userId, payload: { ...payload } };
}
