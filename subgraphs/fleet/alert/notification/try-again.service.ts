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

/** One that its channel is yet to take. */
export interface OpenDelivery {
  tenantId: string;
  id: string;
}

/** Has deliveries that wait for long tried again now: what is to be told next waits for them. */
export async function tryBefore(
  em: SqlEntityManager,
  open: readonly OpenDelivery[],
  now: Date,
): Promise<void> {
  if (open.length === 0) return;
  await em.execute(
    `update fleet.notification_delivery d set next_attempt_at = ?
     from (select distinct "tenantId", id from jsonb_to_recordset(?::jsonb) as n ("tenantId" text, id text)) n
     where d.tenant_id = n."tenantId" and d.id = n.id and ${isWaiting}`,
    [now, JSON.stringify(open), leaseEnd(now)],
  );
}

const leaseEnd = (now: Date) => new Date(now.getTime() + leaseMs);
