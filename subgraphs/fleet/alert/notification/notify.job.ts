import { newId } from '#platform/ids.js';
import type { Sweep, SweepStep } from '#platform/membership/sweep.js';

import { severities, type AlertSeverity } from '../alert.kinds.js';
import type { SilenceMatcher } from '../silence/silence.entity.js';
import { isAbout } from '../silence/silence.match.js';
import { NotificationType } from './notification.kinds.js';
import { bodyOf, toldAlert, type AlertFacts } from './notification.message.js';

const batch = 500;
const perMessage = 100;
const inhibitedForMs = 60_000;

interface DueAlert extends AlertFacts {
  tenantId: string;
  tags: string[];
  isInhibited: boolean;
  wasTold: boolean;
}

interface ActiveSilence {
  tenantId: string;
  matchers: SilenceMatcher[];
  endsAt: string;
}

interface Channel {
  tenantId: string;
  id: string;
  minimumSeverity: AlertSeverity;
  tellsResolved: boolean;
}

/** What is decided about one alert: told now, or looked at again later, or neither. */
interface Verdict {
  alert: DueAlert;
  type: NotificationType | null;
  lookAgainAt: Date | null;
}

const findDue = `select a.tenant_id as "tenantId", a.id, a.instance_id as "instanceId",
    coalesce(i.name, a.instance_name) as "instanceName", coalesce(i.tags, '{}') as tags, a.rule, a.component, a.severity,
    a.status, a.message, a.value, a.threshold, a.count, a.started_at as "startedAt", a.resolved_at as "resolvedAt",
    a.notified_at is not null as "wasTold",
    a.rule <> 'OFFLINE' and exists (
      select from fleet.alert o
      where o.tenant_id = a.tenant_id and o.instance_id = a.instance_id and o.rule = 'OFFLINE'
        and o.status in ('FIRING', 'ACKNOWLEDGED') and o.clear_since is null
    ) as "isInhibited"
  from fleet.alert a
  left join fleet.instance i on i.tenant_id = a.tenant_id and i.id = a.instance_id
  where a.notify_at <= ?
  order by a.notify_at limit ${batch}
  for no key update of a skip locked`;

const tenants = `(select jsonb_array_elements_text(?::jsonb))`;

const findSilences = `select tenant_id as "tenantId", matchers, ends_at as "endsAt" from fleet.alert_silence
  where tenant_id in ${tenants} and starts_at <= ? and ends_at > ?`;

const findChannels = `select tenant_id as "tenantId", id, minimum_severity as "minimumSeverity",
    tells_resolved as "tellsResolved"
  from fleet.notification_channel where tenant_id in ${tenants} and is_enabled`;

const markAlerts = `update fleet.alert a
  set notify_at = n."notifyAt", notified_at = case when n."isTold" then coalesce(a.notified_at, ?) else a.notified_at end
  from jsonb_to_recordset(?::jsonb) as n ("tenantId" text, id text, "notifyAt" timestamptz, "isTold" boolean)
  where a.tenant_id = n."tenantId" and a.id = n.id`;

const insertDeliveries = `insert into fleet.notification_delivery
    (tenant_id, id, channel_id, type, alert_ids, body, status, attempts, next_attempt_at, created_at)
  select n."tenantId", n.id, n."channelId", n.type, array(select jsonb_array_elements_text(n."alertIds")), n.body,
    'PENDING', '[]', n.at, n.at
  from jsonb_to_recordset(?::jsonb) as n ("tenantId" text, id text, "channelId" text, type text, "alertIds" jsonb,
    body text, at timestamptz)`;

/**
 * Tells channels of alerts that began to fire or are over, all that happened since the last run in one message. An
 * alert that is silenced, or whose node is offline, is held back; if it still fires afterwards, it is told then.
 */
export const notifySweep: Sweep = {
  name: 'alert.notify',
  everyMs: 5_000,
  async run(step) {
    const { em, now } = step;
    const due = await em.execute<DueAlert[]>(findDue, [now]);
    if (due.length === 0) return 'done';
    const tenantIds = JSON.stringify([...new Set(due.map(({ tenantId }) => tenantId))]);
    const silences = await em.execute<ActiveSilence[]>(findSilences, [tenantIds, now, now]);
    const channels = await em.execute<Channel[]>(findChannels, [tenantIds]);
    const verdicts = due.map((alert) => judge({ ...alert, ...times(alert) }, silences, now));
    const told = await deliver(step, verdicts, channels);
    const marks = verdicts.map(({ alert: { tenantId, id }, lookAgainAt }) => ({
      tenantId,
      id,
      notifyAt: lookAgainAt,
      isTold: told.has(id),
    }));
    await em.execute(markAlerts, [now, JSON.stringify(marks)]);
    return due.length === batch ? 'more' : 'done';
  },
};

function judge(alert: DueAlert, silences: readonly ActiveSilence[], now: Date): Verdict {
  if (alert.status === 'RESOLVED') {
    return { alert, type: alert.wasTold ? NotificationType.ALERT_RESOLVED : null, lookAgainAt: null };
  }
  // Somebody has taken it up already.
  if (alert.status !== 'FIRING') return { alert, type: null, lookAgainAt: null };
  if (alert.isInhibited) {
    return { alert, type: null, lookAgainAt: new Date(now.getTime() + inhibitedForMs) };
  }
  const ends = silences
    .filter(({ tenantId, matchers }) => tenantId === alert.tenantId && isAbout(matchers, alert))
    .map(({ endsAt }) => new Date(endsAt).getTime());
  if (ends.length > 0) return { alert, type: null, lookAgainAt: new Date(Math.max(...ends)) };
  return { alert, type: NotificationType.ALERT_FIRING, lookAgainAt: null };
}

/** Writes what is to be sent, and answers the ids of the alerts that at least one channel is told of. */
async function deliver(
  { em, now }: SweepStep,
  verdicts: readonly Verdict[],
  channels: readonly Channel[],
): Promise<Set<string>> {
  const told = new Set<string>();
  const rows = channels.flatMap((channel) =>
    [NotificationType.ALERT_FIRING, NotificationType.ALERT_RESOLVED].flatMap((type) => {
      const alerts = verdicts
        .filter((verdict) => verdict.type === type && wants(channel, verdict))
        .map(({ alert }) => alert);
      for (const { id } of alerts) told.add(id);
      return chunks(alerts).map((some) => ({
        tenantId: channel.tenantId,
        id: newId('delivery'),
        channelId: channel.id,
        type,
        alertIds: some.map(({ id }) => id),
        body: bodyOf(type, channel.tenantId, some.map(toldAlert), now),
        at: now,
      }));
    }),
  );
  if (rows.length > 0) await em.execute(insertDeliveries, [JSON.stringify(rows)]);
  return told;
}

function wants(channel: Channel, { alert, type }: Verdict): boolean {
  const severity = severities.findIndex((word) => word === alert.severity);
  return (
    channel.tenantId === alert.tenantId &&
    severity >= severities.indexOf(channel.minimumSeverity) &&
    (type === NotificationType.ALERT_FIRING || channel.tellsResolved)
  );
}

function chunks<T>(all: readonly T[]): T[][] {
  const parts: T[][] = [];
  for (let at = 0; at < all.length; at += perMessage) parts.push(all.slice(at, at + perMessage));
  return parts;
}

/** The driver leaves times as text. */
function times({ startedAt, resolvedAt }: DueAlert): Pick<DueAlert, 'startedAt' | 'resolvedAt'> {
  return { startedAt: new Date(startedAt), resolvedAt: resolvedAt && new Date(resolvedAt) };
}
