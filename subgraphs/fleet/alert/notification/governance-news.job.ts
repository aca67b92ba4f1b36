import { newId } from '#platform/ids.js';
import type { Consumer } from '#platform/outbox/consumer.js';
import type { DeliveredEvent } from '#platform/outbox/event.js';
import type { CanaryProgressed, GitOpsChanged } from '#schema/events.js';

import { AlertSeverity, severities } from '../alert.kinds.js';
import { newsBody, type News } from './news.message.js';
import { NotificationType } from './notification.kinds.js';

/** What a channel has to want to be told. */
interface Wanted {
  column: 'tells_canaries' | 'tells_git_ops';
  severity: AlertSeverity;
  /** Whether it is the end of what was told before. */
  isEnd?: boolean;
}

/**
 * Tells channels of canaries that wait for somebody or were taken back, and of repositories that are degraded, or no longer.
 * An event that comes again is told once (a unique index), and one of a tenant that is suspended is not told.
 */
export function governanceNews(isSuspended: (tenantId: string) => boolean): Consumer {
  return {
    topics: ['governance.canary.progressed', 'governance.gitops.changed'],
    async handle({ em, event, now }) {
      const { tenantId, eventId } = event;
      const news = newsOf(event);
      if (!news || isSuspended(tenantId)) return;
      const { column, severity, isEnd = false } = wantedOf[news.type];
      const channels = await em.execute<{ id: string }[]>(
        `select id from fleet.notification_channel
         where tenant_id = ? and is_enabled and ${column} and (not ? or tells_resolved)
           and minimum_severity in (select jsonb_array_elements_text(?::jsonb)) order by id`,
        [tenantId, isEnd, JSON.stringify(severities.slice(0, severities.indexOf(severity) + 1))],
      );
      if (channels.length === 0) return;
      const rows = channels.map(({ id }) => ({ id: newId('delivery'), channelId: id }));
      await em.execute(
        `insert into fleet.notification_delivery
           (tenant_id, id, channel_id, type, alert_ids, body, status, attempts, next_attempt_at, created_at, subject_id, event_id)
         select ?, n.id, n."channelId", ?, '{}', ?, 'PENDING', '[]', ?, ?, ?, ?
         from jsonb_to_recordset(?::jsonb) as n (id text, "channelId" text)
         on conflict (tenant_id, channel_id, event_id) where event_id is not null do nothing`,
        [
          tenantId,
          news.type,
          newsBody(tenantId, news, now),
          now,
          now,
          event.entityId,
          eventId,
          JSON.stringify(rows),
        ],
      );
    },
  };
}

const wantedOf: Readonly<Record<News['type'], Wanted>> = {
  CANARY_WAITING: { column: 'tells_canaries', severity: AlertSeverity.WARNING },
  CANARY_FAILED: { column: 'tells_canaries', severity: AlertSeverity.CRITICAL },
  GITOPS_DEGRADED: { column: 'tells_git_ops', severity: AlertSeverity.CRITICAL },
  GITOPS_RECOVERED: { column: 'tells_git_ops', severity: AlertSeverity.CRITICAL, isEnd: true },
};

/** Undefined where nobody has to know: people know what they did themselves. */
function newsOf({ topic, entityId, payload }: DeliveredEvent): News | undefined {
  if (topic === 'governance.canary.progressed') {
    const {
      from,
      to,
      step,
      reason,
      name = entityId,
      message = null,
    } = payload as unknown as CanaryProgressed;
    if (from === to || (reason !== null && ownDoing.has(reason))) return undefined;
    const canary = { id: entityId, name, status: to.toLowerCase(), step, reason, message };
    if (to === 'PAUSED') return { type: NotificationType.CANARY_WAITING, canary };
    return to === 'ROLLED_BACK' || to === 'FAILED'
      ? { type: NotificationType.CANARY_FAILED, canary }
      : undefined;
  }
  const { health, healthBefore, name = entityId, problem = null } = payload as unknown as GitOpsChanged;
  const repository = { id: entityId, name, health: health.toLowerCase(), problem };
  const isDegraded = health === 'DEGRADED';
  // Of events from before it was told nobody knows what it was.
  if (healthBefore === undefined || isDegraded === (healthBefore === 'DEGRADED')) return undefined;
  if (isDegraded) return { type: NotificationType.GITOPS_DEGRADED, repository };
  return health === 'SUSPENDED' ? undefined : { type: NotificationType.GITOPS_RECOVERED, repository };
}

const ownDoing: ReadonlySet<string> = new Set(['PAUSED_BY_USER', 'ABORTED_BY_USER']);
