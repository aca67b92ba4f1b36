import type { SqlEntityManager } from '#platform/database/database.js';
import { newId } from '#platform/ids.js';
import type { OutboxEvent } from '#platform/outbox/outbox.js';

import { alertChanged } from './alert.events.js';
import type { AlertRuleKind, AlertSeverity } from './alert.kinds.js';
import { defaultRules } from './alert.rules.js';
import { joinOverride } from './override/override.sql.js';

interface Step {
  em: SqlEntityManager;
  now: Date;
  publish: (event: OutboxEvent) => void;
}

/** What alerts are told about: a kind of command, a policy. */
interface Told {
  tenantId: string;
  rule: AlertRuleKind;
  component: string;
  /** Where the tenant's rule sets none; the default rule's unless told. */
  severity?: AlertSeverity;
}

/** Raises alerts, or counts those that are there already, unless the rule is off for their instance. */
export async function raiseAlerts(
  { em, now, publish }: Step,
  { tenantId, rule, component, severity }: Told,
  found: readonly { instanceId: string; message: string }[],
): Promise<void> {
  if (found.length === 0) return;
  const defaults = defaultRules[rule];
  const rows = found.map((each) => ({ ...each, id: newId('alert') }));
  const ids = new Set(rows.map(({ id }) => id));
  const raised = await em.execute<{ id: string; instanceId: string; severity: AlertSeverity }[]>(raise, [
    rule,
    component,
    severity ?? defaults.severity,
    ...Array<Date>(6).fill(now),
    JSON.stringify(rows),
    tenantId,
    rule,
    now,
    defaults.isEnabled,
  ]);
  for (const alert of raised) {
    // One that was there already goes on counting.
    if (ids.has(alert.id)) publish(alertChanged({ ...alert, tenantId, rule }, null, 'FIRING'));
  }
}

/**
 * Clears alerts; of all instances when none are named. The evaluation (evaluate.job.ts) resolves them once the rule's
 * `keepFiringForSeconds` are over.
 */
export async function clearAlerts(
  { em, now }: Pick<Step, 'em' | 'now'>,
  { tenantId, rule, component }: Told,
  instanceIds?: readonly string[],
): Promise<void> {
  const some = instanceIds === undefined ? '' : whereAmong;
  const values = instanceIds === undefined ? [] : [JSON.stringify(instanceIds)];
  await em.execute(clear(some), [now, now, tenantId, rule, component, ...values, tenantId]);
}

// In the order in which others lock them.
const clear = (
  some: string,
) => `update fleet.alert a set clear_since = coalesce(a.clear_since, ?), updated_at = ?
  from (
    select id from fleet.alert where tenant_id = ? and rule = ? and component = ? and status <> 'RESOLVED'${some}
    order by instance_id for no key update
  ) open
  where a.tenant_id = ? and a.id = open.id`;
const whereAmong = ` and instance_id in (select jsonb_array_elements_text(?::jsonb))`;

/**
 * In the order of the instances, so that those who raise some at the same time do not lock each other out. One whose
 * severity is another now may be for other channels.
 */
const raise = `insert into fleet.alert as a (tenant_id, id, instance_id, instance_name, rule, component, severity, status,
    message, count, started_at, fired_at, last_seen_at, updated_at, notify_at, observed_to, rule_override)
  select node.tenant_id, n.id, node.id, node.name, ?, ?, coalesce(o.severity, r.severity, ?), 'FIRING', n.message, 1, ?, ?, ?, ?,
    ?, ?, o.source
  from jsonb_to_recordset(?::jsonb) as n (id text, "instanceId" text, message text)
  join fleet.instance node on node.tenant_id = ? and node.id = n."instanceId"
  cross join (select ?::text as rule) told
  left join fleet.alert_rule r on r.tenant_id = node.tenant_id and r.kind = told.rule
  ${joinOverride({ tenant: 'node.tenant_id', instance: 'node.id', rule: 'told.rule' })}
  where coalesce(o.is_enabled, r.is_enabled, ?)
  order by node.id
  on conflict (tenant_id, instance_id, rule, component) where status <> 'RESOLVED' do update set
    severity = excluded.severity, message = excluded.message, count = a.count + 1,
    rule_override = excluded.rule_override, last_seen_at = excluded.last_seen_at, clear_since = null,
    updated_at = excluded.updated_at,
    notify_at = case when a.status = 'FIRING' and a.severity <> excluded.severity then excluded.notify_at
      else a.notify_at end
  returning id, instance_id as "instanceId", severity`;
