import type { SqlEntityManager } from '#platform/database/database.js';

/** How long whoever takes a delivery up has for it: longer than a job and its repetitions may take. */
export const leaseMs = 5 * 60_000;

// What is due later than a lease lasts was taken up by nobody: it waits for its next attempt.
const isWaiting = 'd.next_attempt_at > ?';

/** Has a channel's deliveries that wait for long tried again now, as it answers again or is another one. */
export async function tryAgain(
  em: SqlEntityManager,
  { tenantId, id }: { tenantId: string; id: string },
  now: Date,
): Promise<void> {
  await em.execute(
    `update fleet.notification_delivery d set next_attempt_at = ?
     where d.tenant_id = ? and d.channel_id = ? and ${isWaiting}`,
    [now, tenantId, id, leaseEnd(now)],
  );
}

/** An alert of which a channel is to hear something more. */
export interface Told {
  tenantId: string;
  channelId: string;
  alertId: string;
}

/** Has what channels were to hear of these alerts before tried again now: what is to be told next waits for it. */
export async function tryBefore(em: SqlEntityManager, told: readonly Told[], now: Date): Promise<void> {
  if (told.length === 0) return;
  await em.execute(
    `update fleet.notification_delivery d set next_attempt_at = ?
     from jsonb_to_recordset(?::jsonb) as n ("tenantId" text, "channelId" text, "alertId" text)
     where d.tenant_id = n."tenantId" and d.channel_id = n."channelId" and n."alertId" = any (d.alert_ids)
       and ${isWaiting}`,
    [now, JSON.stringify(told), leaseEnd(now)],
  );
}

const leaseEnd = (now: Date) => new Date(now.getTime() + leaseMs);
