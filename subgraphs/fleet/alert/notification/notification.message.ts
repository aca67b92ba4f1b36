import { headOf } from '#platform/cut-text.js';

import { fingerprintOf } from '../alert.fingerprint.js';
import { NotificationType } from './notification.kinds.js';

/** An alert as channels are told of it: the names and words of the REST API. */
export interface ToldAlert {
  id: string;
  fingerprint: string;
  instance_id: string;
  instance_name: string;
  rule: string;
  component: string | null;
  severity: string;
  status: string;
  message: string;
  value: number | null;
  threshold: number | null;
  count: number;
  started_at: string;
  resolved_at: string | null;
}

/** The body of a webhook, in the form that the Standard Webhooks specification recommends. */
export interface NotificationBody {
  /** `alert.firing`, `alert.resolved` or `test`; of what governance tells see news.message.ts. */
  type: string;
  timestamp: string;
  data: { tenant_id: string; alerts: ToldAlert[] };
}

export interface AlertFacts {
  id: string;
  instanceId: string;
  instanceName: string;
  rule: string;
  component: string;
  severity: string;
  status: string;
  message: string;
  value: number | null;
  threshold: number | null;
  count: number;
  startedAt: Date;
  resolvedAt: Date | null;
}

export function toldAlert(alert: AlertFacts): ToldAlert {
  return {
    id: alert.id,
    fingerprint: fingerprintOf(alert),
    instance_id: alert.instanceId,
    instance_name: alert.instanceName,
    rule: alert.rule.toLowerCase(),
    component: alert.component || null,
    severity: alert.severity.toLowerCase(),
    status: alert.status.toLowerCase(),
    message: alert.message,
    value: alert.value,
    threshold: alert.threshold,
    count: alert.count,
    started_at: time(alert.startedAt),
    resolved_at: alert.resolvedAt && time(alert.resolvedAt),
  };
}

export const wordOf: Record<NotificationType, string> = {
  ALERT_FIRING: 'alert.firing',
  ALERT_RESOLVED: 'alert.resolved',
  CANARY_WAITING: 'canary.waiting',
  CANARY_FAILED: 'canary.failed',
  GITOPS_DEGRADED: 'gitops.degraded',
  GITOPS_RECOVERED: 'gitops.recovered',
  TEST: 'test',
};

export function bodyOf(type: NotificationType, tenantId: string, alerts: ToldAlert[], now: Date): string {
  const body: NotificationBody = {
    type: wordOf[type],
    timestamp: time(now),
    data: { tenant_id: tenantId, alerts },
  };
  return JSON.stringify(body);
}

export function testBody({ tenantId }: { tenantId: string }, now: Date): string {
  return bodyOf(NotificationType.TEST, tenantId, [], now);
}

/** The same as a mail. */
export function mailOf(
  { type, data }: NotificationBody,
  panelUrl: string,
): { subject: string; text: string } {
  if (type === wordOf.TEST) {
    return { subject: 'Test of alerts', text: `Alerts of ${panelUrl} will arrive at this address.\n` };
  }
  const isOver = type === wordOf.ALERT_RESOLVED;
  const [first] = data.alerts;
  const about =
    data.alerts.length === 1 && first
      ? `${first.instance_name}: ${first.message}`
      : `${data.alerts.length} alerts`;
  const lines = data.alerts.map(
    ({ severity, instance_name: name, message, started_at: since }) =>
      `[${severity}] ${name}: ${message} (since ${since})`,
  );
  return {
    // A header has one line, whatever a node calls itself.
    subject: headOf(`${isOver ? 'Resolved' : 'Firing'}: ${about}`.replaceAll(/\s+/g, ' '), 200),
    text: `${isOver ? 'These alerts are over:' : 'These alerts are firing:'}\n\n${lines.join('\n')}\n\n${panelUrl}\n`,
  };
}

export function time(at: Date): string {
  return at.toISOString().replace(/\.\d+Z$/, 'Z');
}
