import type { Sweep } from '#platform/membership/sweep.js';

import { deliverKind } from './deliver.kind.js';
import { leaseMs } from './try-again.service.js';

const batch = 200;

// The newest word is the last. Which ones it follows was settled when it was written; of a canary and of a repository it
// is told in their order.
const waits = `(exists (
  select from fleet.notification_delivery before
  where before.tenant_id = d.tenant_id and before.id = any (d.follows) and before.next_attempt_at is not null
) or d.subject_id is not null and exists (
  select from fleet.notification_delivery before
  where before.tenant_id = d.tenant_id and before.channel_id = d.channel_id and before.next_attempt_at is not null
    and before.created_at < d.created_at and before.subject_id = d.subject_id
))`;

const take = `update fleet.notification_delivery d set next_attempt_at = ?
  from (
    select tenant_id, id from fleet.notification_delivery d where next_attempt_at <= ? and not ${waits}
    order by next_attempt_at limit ${batch} for no key update skip locked
  ) due
  where d.tenant_id = due.tenant_id and d.id = due.id
  returning d.tenant_id as "tenantId", d.id as "deliveryId", jsonb_array_length(d.attempts) as attempts`;

/** Hands deliveries that are due to the jobs of all processes. */
export const dispatchSweep: Sweep = {
  name: 'notification.dispatch',
  everyMs: 2_000,
  due: 'select from fleet.notification_delivery where next_attempt_at <= ?',
  async run({ em, now, enqueue }) {
    const until = new Date(now.getTime() + leaseMs);
    const taken = await em.execute<{ tenantId: string; deliveryId: string; attempts: number }[]>(take, [
      until,
      now,
    ]);
    for (const delivery of taken) enqueue(deliverKind, { ...delivery, dueAt: until.toISOString() });
    return taken.length === batch ? 'more' : 'done';
  },
};
