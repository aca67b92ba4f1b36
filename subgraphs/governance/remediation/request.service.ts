import type { SqlEntityManager } from '#platform/database/database.js';
import { newId } from '#platform/ids.js';
import type { OutboxEvent } from '#platform/outbox/outbox.js';

import type { CommandOrder } from '../order/order.js';
import { RemediationStatus } from './remediation.entity.js';
import { remediationChanged } from './remediation.events.js';

export interface Requested {
  tenantId: string;
  policyId: string;
  order: CommandOrder;
  instanceIds: readonly string[];
  isAutomatic: boolean;
  requestedBy: string;
  dueAt: Date;
  now: Date;
}

/** Writes down what is to be sent; where one is under way already no other begins. Answers the ids of the new ones. */
export async function requestRemediations(
  { em, publish }: { em: SqlEntityManager; publish: (event: OutboxEvent) => void },
  requested: Requested,
): Promise<string[]> {
  const { tenantId, policyId, order, instanceIds, isAutomatic, requestedBy, dueAt, now } = requested;
  const rows = instanceIds.map((id) => ({ id: newId('remediation'), instance_id: id }));
  const begun = await em.execute<{ id: string; instanceId: string }[]>(
    `insert into governance.remediation (tenant_id, id, policy_id, instance_id, instance_name, command, params,
       is_automatic, status, requested_by, due_at, created_at)
     select ?, n.id, ?, n.instance_id, node.name, ?, ?::jsonb, ?, 'REQUESTED', ?, ?, ?
     from jsonb_to_recordset(?::jsonb) as n (id text, instance_id text)
     left join governance.node on node.tenant_id = ? and node.id = n.instance_id
     on conflict (tenant_id, policy_id, instance_id) where finished_at is null do nothing
     returning id, instance_id as "instanceId"`,
    [
      tenantId,
      policyId,
      order.command,
      JSON.stringify(order.params),
      isAutomatic,
      requestedBy,
      dueAt,
      now,
      JSON.stringify(rows),
      tenantId,
    ],
  );
  const status = RemediationStatus.REQUESTED;
  for (const { id, instanceId } of begun)
    remediationChanged(publish, { tenantId, id, policyId, instanceId, status });
  return begun.map(({ id }) => id);
}
