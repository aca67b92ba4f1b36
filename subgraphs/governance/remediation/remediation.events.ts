import type { OutboxEvent } from '#platform/outbox/outbox.js';
import type { RemediationChanged } from '#schema/events.js';

import type { PolicyRemediation } from './remediation.entity.js';

/** It was asked for, is under way, or has ended. */
export function remediationChanged(
  publish: (event: OutboxEvent) => void,
  {
    tenantId,
    id,
    policyId,
    instanceId,
    status,
  }: Pick<PolicyRemediation, 'tenantId' | 'id' | 'policyId' | 'instanceId' | 'status'>,
): void {
  publish({
    topic: 'governance.remediation.changed',
    tenantId,
    entityId: id,
    payload: { policyId, instanceId, status } satisfies RemediationChanged,
  });
}
