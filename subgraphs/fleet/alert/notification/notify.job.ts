import { newId } from '#platform/ids.js';
import type { Sweep, SweepStep } from '#platform/membership/sweep.js';

import { isStoppedSql } from '../../instance/instance.status.js';
import { severities, type AlertSeverity } from '../alert.kinds.js';
import type { SilenceMatcher } from '../silence/silence.entity.js';
import { isAbout } from '../silence/silence.match.js';
import { NotificationType } from './notification.kinds.js';
import { bodyOf, toldAlert, type AlertFacts } from './notification.message.js';
import { tryBefore, type OpenDelivery } from './try-again.service.js';

const batch = 500;
const perMessage = 100;
const heldBackMs = 60_000;

interface DueAlert extends AlertFacts {
  tenantId: string;
  tags: string[];
  isInhibited: boolean;
  /** Channel to when it was last told that the alert fires. */
  told: Record<string, string>;
  /** Channel to the delivery that it is yet to take of what it was told. */
  waiting: Record<string, string>;
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
  repeatIntervalMinutes: number;
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
    a.told,
    case when a.told_in = '{}' then '{}' else coalesce((
      select jsonb_object_agg(last.key, last.value) from jsonb_each_text(a.told_in) as last
      cross join lateral (
        select from fleet.notification_delivery d
        where d.tenant_id = a.tenant_id and d.id = last.value and d.next_attempt_at is not null limit 1
      ) open
    ), '{}') end as waiting,
    a.rule <> 'OFFLINE' and exists (
      select from fleet.alert o
      where o.tenant_id = a.tenant_id and o.instance_id = a.instance_id and o.rule = 'OFFLINE'
        and o.status in ('FIRING', 'ACKNOWLEDGED') and o.clear_since is null
    ) or a.rule <> 'OFFLINE' and ${isStoppedSql} as "isInhibited"
  from fleet.alert a
  left join fleet.instance i on i.tenant_id = a.tenant_id and i.id = a.instance_id
  where a.notify_at <= ?
  order by a.notify_at limit ${batch}
  for no key update of a skip locked`;

const tenants = `(select jsonb_array_elements_text(?::jsonb))`;

const findSilences = `select tenant_id as "tenantId", matchers, ends_at as "endsAt" from fleet.alert_silence
  where tenant_id in ${tenants} and starts_at <= ? and ends_at > ?`;

const findChannels = `select tenant_id as "tenantId", id, minimum_severity as "minimumSeverity",
    tells_resolved as "tellsResolved", repeat_interval_minutes as "repeatIntervalMinutes"
  from fleet.notification_channel where tenant_id in ${tenants} and is_enabled`;

const markAlerts = `update fleet.alert a
  set notify_at = n."notifyAt", told = a.told || n.told, told_in = a.told_in || n."toldIn",
    notified_at = case when n.told = '{}' then a.notified_at else coalesce(a.notified_at, ?) end
  from jsonb_to_recordset(?::jsonb) as n ("tenantId" text, id text, "notifyAt" timestamptz, told jsonb, "toldIn" jsonb)
  where a.tenant_id = n."tenantId" and a.id = n.id`;

const insertDeliveries = `insert into fleet.notification_delivery
    (tenant_id, id, channel_id, type, alert_ids, follows, body, status, attempts, next_attempt_at, created_at)
  select n."tenantId", n.id, n."channelId", n.type, array(select jsonb_array_elements_text(n."alertIds")),
    array(select jsonb_array_elements_text(n.follows)), n.body, 'PENDING', '[]', n.at, n.at
  from jsonb_to_recordset(?::jsonb) as n ("tenantId" text, id text, "channelId" text, type text, "alertIds" jsonb,
    follows jsonb, body text, at timestamptz)`;

/**
 * Tells channels of alerts that fire or are over, all that happened since the last run in one message. One that still
 * fires is told again at each channel's interval. An alert that is silenced, or whose node is offline or stopped, is held back; if
 * it still fires afterwards, it is told then. Its end is told to those that were told of its beginning. A tenant that is
 * suspended is told nothing before it is restored.
 */
export function notifySweep(isSuspended: (tenantId: string) => boolean): Sweep {
  return {
    name: 'alert.notify',
    everyMs: 5_000,
    due: 'select from fleet.alert where notify_at <= ?',
    async run(step) {
      const { em, now } = step;
      const due = await em.execute<DueAlert[]>(findDue, [now]);
      if (due.length === 0) return 'done';
      const tenantIds = JSON.stringify([...new Set(due.map(({ tenantId }) => tenantId))]);
      const silences = await em.execute<ActiveSilence[]>(findSilences, [tenantIds, now, now]);
      const channels = await em.execute<Channel[]>(findChannels, [tenantIds]);
      const verdicts = due.map((alert) =>
        isSuspended(alert.tenantId)
          ? { alert, type: null, lookAgainAt: heldBack(now) }
          : judge({ ...alert, ...times(alert) }, silences, now),
      );
      const toldIn = await deliver(step, verdicts, channels);
      await tryBefore(em, verdicts.flatMap(toldBefore), now);
      const marks = verdicts.map((verdict) => ({
        ...markOf(verdict, channels, now),
        toldIn: toldIn.get(verdict.alert.id) ?? {},
      }));
      await em.execute(markAlerts, [now, JSON.stringify(marks)]);
      return due.length === batch ? 'more' : 'done';
    },
  };
}

function judge(alert: DueAlert, silences: readonly ActiveSilence[], now: Date): Verdict {
  if (alert.status === 'RESOLVED') return { alert, type: NotificationType.ALERT_RESOLVED, lookAgainAt: null };
  // Somebody has taken it up already.
  if (alert.status !== 'FIRING') return { alert, type: null, lookAgainAt: null };
  if (alert.isInhibited) return { alert, type: null, lookAgainAt: heldBack(now) };
  const ends = silences
    .filter(({ tenantId, matchers }) => tenantId === alert.tenantId && isAbout(matchers, alert))
    .map(({ endsAt }) => new Date(endsAt).getTime());
  if (ends.length > 0) return { alert, type: null, lookAgainAt: new Date(Math.max(...ends)) };
  return { alert, type: NotificationType.ALERT_FIRING, lookAgainAt: null };
}

function heldBack(now: Date): Date {
  return new Date(now.getTime() + heldBackMs);
}

/** What channels have yet to take of an alert of which there is more to tell. */
function toldBefore({ alert: { tenantId, waiting }, type }: Verdict): OpenDelivery[] {
  return type === null ? [] : Object.values(waiting).map((id) => ({ tenantId, id }));
}

/** Writes what is to be sent; answers for each alert which channel is told of it in which delivery. */
async function deliver(
  { em, now }: SweepStep,
  verdicts: readonly Verdict[],
  channels: readonly Channel[],
): Promise<Map<string, Record<string, string>>> {
  const rows = channels.flatMap((channel) =>
    [NotificationType.ALERT_FIRING, NotificationType.ALERT_RESOLVED].flatMap((type) => {
      const alerts = verdicts
        .filter((verdict) => verdict.type === type && isToBeTold(channel, verdict, now))
        // What waits for a channel that is away says it once, however often it would have been said.
        .filter(({ alert }) => type !== NotificationType.ALERT_FIRING || !(channel.id in alert.waiting))
        .map(({ alert }) => alert);
      return chunks(alerts).map((some) => ({
        tenantId: channel.tenantId,
        id: newId('delivery'),
        channelId: channel.id,
        type,
        alertIds: some.map(({ id }) => id),
        // What was told of the same alerts before is told first, so that the newest word is the last.
        follows: [...new Set(some.flatMap(({ waiting }) => waiting[channel.id] ?? []))],
        body: bodyOf(type, channel.tenantId, some.map(toldAlert), now),
        at: now,
      }));
    }),
  );
  if (rows.length > 0) await em.execute(insertDeliveries, [JSON.stringify(rows)]);
  const toldIn = new Map<string, Record<string, string>>();
  for (const { id, channelId, alertIds } of rows)
    for (const alertId of alertIds) toldIn.set(alertId, { ...toldIn.get(alertId), [channelId]: id });
  return toldIn;
}

/** What an alert's row keeps of a look: who was told now, and when it is looked at again. */
function markOf(verdict: Verdict, channels: readonly Channel[], now: Date) {
  const { alert, type, lookAgainAt } = verdict;
  const { tenantId, id } = alert;
  if (type !== NotificationType.ALERT_FIRING) return { tenantId, id, notifyAt: lookAgainAt, told: {} };
  const interested = channels.filter((channel) => wants(channel, alert));
  const toldNow = interested.filter((channel) => isToBeTold(channel, verdict, now));
  const told = Object.fromEntries(toldNow.map((channel) => [channel.id, now.toISOString()]));
  const next = interested
    .map((channel) => repeatAt(channel, { ...alert.told, ...told }))
    .filter((at) => at !== null);
  return { tenantId, id, notifyAt: next.length > 0 ? new Date(Math.min(...next)) : null, told };
}

function isToBeTold(channel: Channel, { alert, type }: Verdict, now: Date): boolean {
  // Whatever became of the severities since: who was told that it fires has to hear that it is over.
  if (type === NotificationType.ALERT_RESOLVED)
    return channel.tenantId === alert.tenantId && channel.tellsResolved && channel.id in alert.told;
  if (!wants(channel, alert)) return false;
  const at = repeatAt(channel, alert.told);
  return channel.id in alert.told ? at !== null && at <= now.getTime() : true;
}

/** When a channel that was told that an alert fires is told so again. */
function repeatAt({ id, repeatIntervalMinutes }: Channel, told: DueAlert['told']): number | null {
  const last = told[id];
  if (last === undefined || repeatIntervalMinutes === 0) return null;
  return new Date(last).getTime() + repeatIntervalMinutes * 60_000;
}

function wants(channel: Channel, alert: DueAlert): boolean {
  const severity = severities.findIndex((word) => word === alert.severity);
  return channel.tenantId === alert.tenantId && severity >= severities.indexOf(channel.minimumSeverity);
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
