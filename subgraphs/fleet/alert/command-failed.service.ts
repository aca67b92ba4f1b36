import type { SqlEntityManager } from '#platform/database/database.js';
import { newId } from '#platform/ids.js';
import type { OutboxEvent } from '#platform/outbox/outbox.js';

import { alertChanged } from './alert.events.js';
import { AlertRuleKind, type AlertSeverity } from './alert.kinds.js';
import { defaultRules, messageOf } from './alert.rules.js';

const rule = AlertRuleKind.COMMAND_FAILED;
const { isEnabled, severity } = defaultRules[rule];

/** How a command ended on one instance that had begun it. */
export interface CommandEnd {
  instanceId: string;
  /** Null when it succeeded. */
  failure: string | null;
}

/**
 * Raises, counts and clears the alerts about one kind of command, in the transaction in which it ended. What has
 * cleared is resolved by the evaluation (evaluate.job.ts) once the rule's `keepFiringForSeconds` are over.
 */
export async function noteCommandEnds(
  { em, now, publish }: { em: SqlEntityManager; now: Date; publish: (event: OutboxEvent) => void },
  { tenantId, kind }: { tenantId: string; kind: string },
  ends: readonly CommandEnd[],
): Promise<void> {
  const succeeded = ends.filter(({ failure }) => failure === null).map(({ instanceId }) => instanceId);
  if (succeeded.length > 0) {
    await em.execute(clear, [now, now, tenantId, rule, kind, JSON.stringify(succeeded)]);
  }
  const failed = ends
    .filter(({ failure }) => failure !== null)
    .map(({ instanceId, failure }) => ({
      id: newId('alert'),
      instanceId,
      message: messageOf(rule, { value: null, threshold: null, component: kind, detail: failure }),
    }));
  if (failed.length === 0) return;
  const ids = new Set(failed.map(({ id }) => id));
  const raised = await em.execute<{ id: string; instanceId: string; severity: AlertSeverity }[]>(raise, [
    rule,
    kind,
    severity,
    ...Array<Date>(6).fill(now),
    JSON.stringify(failed),
    tenantId,
    rule,
    isEnabled,
  ]);
  for (const alert of raised) {
    // One that was there already goes on counting.
    if (ids.has(alert.id)) publish(alertChanged({ ...alert, tenantId, rule }, null, 'FIRING'));
  }
}

const clear = `update fleet.alert set clear_since = coalesce(clear_since, ?), updated_at = ?
  where tenant_id = ? and rule = ? and component = ? and status <> 'RESOLVED'
    and instance_id in (select jsonb_array_elements_text(?::jsonb))`;

/** In the order of the instances, so that commands that end at the same time do not lock each other out. */
const raise = `insert into fleet.alert as a (tenant_id, id, instance_id, instance_name, rule, component, severity, status,
    message, count, started_at, fired_at, last_seen_at, updated_at, notify_at, observed_to)
  select i.tenant_id, n.id, i.id, i.name, ?, ?, coalesce(r.severity, ?), 'FIRING', n.message, 1, ?, ?, ?, ?, ?, ?
  from jsonb_to_recordset(?::jsonb) as n (id text, "instanceId" text, message text)
  join fleet.instance i on i.tenant_id = ? and i.id = n."instanceId"
  left join fleet.alert_rule r on r.tenant_id = i.tenant_id and r.kind = ?
  where coalesce(r.is_enabled, ?)
  order by i.id
  on conflict (tenant_id, instance_id, rule, component) where status <> 'RESOLVED' do update set
    severity = excluded.severity, message = excluded.message, count = a.count + 1, last_seen_at = excluded.last_seen_at,
    clear_since = null, updated_at = excluded.updated_at
  returning id, instance_id as "instanceId", severity`;
