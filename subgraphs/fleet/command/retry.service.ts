import { ApiError, invalid } from '#platform/errors.js';
import type { Operation, Write } from '#platform/subgraph/operation.js';

import type { Command } from './command.entity.js';
import { endStatuses, type InvocationStatus } from './command.status.js';
import type { CommandRules } from './targets.service.js';

/** A command as it was asked for, but for whom and when. */
export function rulesOf(command: Command): CommandRules {
  const { kind, params, maxConcurrency, maxErrors, executionTimeoutSeconds, ignoresWindows } = command;
  const begunAt = command.startAt ?? command.createdAt;
  const deliveryTimeoutSeconds = (command.expiresAt.getTime() - begunAt.getTime()) / 1000;
  return {
    command: kind,
    params,
    maxConcurrency,
    maxErrors,
    deliveryTimeoutSeconds,
    executionTimeoutSeconds,
    ignoresWindows,
  };
}

/** The instances of the fleet on which it ended so, in their order. An end stands, so that no lock is needed. */
export async function retryTargets(
  { em }: Pick<Write, 'em'>,
  { tenantId }: Operation,
  commandId: string,
  statuses: readonly InvocationStatus[],
): Promise<string[]> {
  const rows = await em.execute<{ instanceId: string; status: InvocationStatus }[]>(
    `select c.instance_id as "instanceId", c.status from fleet.command_invocation c
     join fleet.instance i on i.tenant_id = c.tenant_id and i.id = c.instance_id
     where c.tenant_id = ? and c.command_id = ? and c.status = any (array(select jsonb_array_elements_text(?::jsonb)))
     order by c.position`,
    [tenantId, commandId, JSON.stringify(statuses)],
  );
  if (rows.length === 0) {
    throw invalid('input.statuses', 'The command ended so on no instance of the fleet');
  }
  if (rows.some(({ status }) => !endStatuses.has(status))) {
    throw new ApiError('CONFLICT', 'The command has not ended on all of these instances', {
      reason: 'COMMAND_UNFINISHED',
    });
  }
  return rows.map(({ instanceId }) => instanceId);
}
