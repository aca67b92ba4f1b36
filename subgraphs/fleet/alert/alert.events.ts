import type { OutboxEvent } from '#platform/outbox/outbox.js';
import type { AlertChanged } from '#schema/events.js';

export function alertChanged(
  alert: Pick<AlertChanged, 'instanceId' | 'rule' | 'severity'> & { tenantId: string; id: string },
  from: AlertChanged['from'],
  to: AlertChanged['to'],
): OutboxEvent {
  const { id, tenantId, instanceId, rule, severity } = alert;
  return {
    topic: 'fleet.alert.changed',
    tenantId,
    entityId: id,
    payload: { alertId: id, instanceId, rule, severity, from, to } satisfies AlertChanged,
  };
}
