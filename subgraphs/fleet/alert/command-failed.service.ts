import type { SqlEntityManager } from '#platform/database/database.js';
import type { OutboxEvent } from '#platform/outbox/outbox.js';

import { AlertRuleKind } from './alert.kinds.js';
import { messageOf } from './alert.rules.js';
import { clearAlerts, raiseAlerts } from './told-alerts.service.js';

const rule = AlertRuleKind.COMMAND_FAILED;

/** How a command ended on one instance that had begun it, or was to begin it at a time that was set. */
export interface CommandEnd {
  instanceId: string;
  /** Null when it succeeded. */
  failure: string | null;
}

/** Raises, counts and clears the alerts about one kind of command, in the transaction in which it ended. */
export async function noteCommandEnds(
  step: { em: SqlEntityManager; now: Date; publish: (event: OutboxEvent) => void },
  { tenantId, kind }: { tenantId: string; kind: string },
  ends: readonly CommandEnd[],
): Promise<void> {
  const told = { tenantId, rule, component: kind };
  const succeeded = ends.filter(({ failure }) => failure === null).map(({ instanceId }) => instanceId);
  if (succeeded.length > 0) await clearAlerts(step, told, succeeded);
  const failed = ends
    .filter(({ failure }) => failure !== null)
    .map(({ instanceId, failure }) => ({
      instanceId,
      message: messageOf(rule, { value: null, threshold: null, component: kind, detail: failure }),
    }));
  await raiseAlerts(step, told, failed);
}
