import type { SqlEntityManager } from '#platform/database/database.js';
import { newId } from '#platform/ids.js';
import type { Consumer } from '#platform/outbox/consumer.js';
import type { DeliveredEvent } from '#platform/outbox/event.js';
import type { CanaryProgressed, GitOpsChanged, GitOpsRemoved } from '#schema/events.js';

import { AlertSeverity, severities } from '../alert.kinds.js';
import { newsBody, type News } from './news.message.js';
import { NotificationType } from './notification.kinds.js';

/**
 * Tells channels of canaries that wait for somebody or were taken back, and of repositories that are degraded, or no longer:
 * that to those that were told of its beginning, whatever it was in between. An event that comes again is told once (a
 * unique index), and one of a tenant that is suspended is not told.
 */
export function governanceNews(isSuspended: (tenantId: string) => boolean): Consumer {
  return {
    topics: ['governance.canary.progressed', 'governance.gitops.changed', 'governance.gitops.removed'],
    async handle({ em, event, now }) {
      const { tenantId, entityId, eventId } = event;
      const news = newsOf(event);
      if (!news || isSuspended(tenantId)) return;
      const channels = await channelsFor(em, event, news.type);
      const rows = channels.map(({ id }) => ({ tenantId, id: newId('delivery'), channelId: id }));
      const told = await em.execute<{ channelId: string }[]>(insertDeliveries, [
        news.type,
        entityId,
        newsBody(tenantId, news, now),
        now,
        now,
        entityId,
        eventId,
        JSON.stringify(rows),
      ]);
      if (news.type === NotificationType.GITOPS_DEGRADED)
        await em.execute(mark, [entityId, tenantId, JSON.stringify(told.map(({ channelId }) => channelId))]);
      if (news.type === NotificationType.GITOPS_RECOVERED)
        await em.execute(unmark, [entityId, tenantId, entityId]);
    },
  };
}

/** The column by which a channel wants to be told, and the least severity that it may ask for. */
const wantedOf: Readonly<
  Record<News['type'], { column: 'tells_canaries' | 'tells_git_ops'; severity: AlertSeverity }>
> = {
  CANARY_WAITING: { column: 'tells_canaries', severity: AlertSeverity.WARNING },
  CANARY_FAILED: { column: 'tells_canaries', severity: AlertSeverity.CRITICAL },
  GITOPS_DEGRADED: { column: 'tells_git_ops', severity: AlertSeverity.CRITICAL },
  GITOPS_RECOVERED: { column: 'tells_git_ops', severity: AlertSeverity.CRITICAL },
};

async function channelsFor(
  em: SqlEntityManager,
  { tenantId, entityId }: DeliveredEvent,
  type: News['type'],
): Promise<{ id: string }[]> {
  const { column, severity } = wantedOf[type];
  const isEnd = type === NotificationType.GITOPS_RECOVERED;
  return em.execute<{ id: string }[]>(
    `select id from fleet.notification_channel
     where tenant_id = ? and is_enabled and ${column} and (? = any (degraded_told)) = ? and (not ? or tells_resolved)
       and minimum_severity in (select jsonb_array_elements_text(?::jsonb)) order by id`,
    [tenantId, entityId, isEnd, isEnd, JSON.stringify(severities.slice(0, severities.indexOf(severity) + 1))],
  );
}

const insertDeliveries = `insert into fleet.notification_delivery
    (tenant_id, id, channel_id, type, alert_ids, follows, body, status, attempts, next_attempt_at, created_at,
      subject_id, event_id)
  select n."tenantId", n.id, n."channelId", ?, '{}', array(
      select before.id from fleet.notification_delivery before
      where before.tenant_id = n."tenantId" and before.channel_id = n."channelId"
        and before.next_attempt_at is not null and before.subject_id = ?
    ), ?, 'PENDING', '[]', ?, ?, ?, ?
  from jsonb_to_recordset(?::jsonb) as n ("tenantId" text, id text, "channelId" text)
  on conflict (tenant_id, channel_id, event_id) where event_id is not null do nothing
  returning channel_id as "channelId"`;

const mark = `update fleet.notification_channel set degraded_told = array_append(degraded_told, ?)
  where tenant_id = ? and id in (select jsonb_array_elements_text(?::jsonb))`;

const unmark = `update fleet.notification_channel set degraded_told = array_remove(degraded_told, ?)
  where tenant_id = ? and ? = any (degraded_told)`;

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
  if (topic === 'governance.gitops.removed') {
    const { name } = payload as unknown as GitOpsRemoved;
    const repository = { id: entityId, name, health: 'removed', problem: null };
    return { type: NotificationType.GITOPS_RECOVERED, repository };
  }
  const { health, healthBefore, name = entityId, problem = null } = payload as unknown as GitOpsChanged;
  const repository = { id: entityId, name, health: health.toLowerCase(), problem };
  // Of events from before it was told nobody knows what it was.
  if (health === 'DEGRADED')
    return healthBefore === undefined || healthBefore === 'DEGRADED'
      ? undefined
      : { type: NotificationType.GITOPS_DEGRADED, repository };
  return health === 'HEALTHY' || health === 'PROGRESSING'
    ? { type: NotificationType.GITOPS_RECOVERED, repository }
    : undefined;
}

const ownDoing: ReadonlySet<string> = new Set(['PAUSED_BY_USER', 'ABORTED_BY_USER']);
