import type { Sweep } from '#platform/membership/sweep.js';

import { deliverKind } from './deliver.kind.js';

const batch = 200;
// Longer than a job and its repetitions may take: until then nobody else takes the delivery up.
const leaseMs = 5 * 60_000;

const take = `update fleet.notification_delivery d set next_attempt_at = ?
  from (
    select tenant_id, id from fleet.notification_delivery where next_attempt_at <= ?
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
    for (const delivery of taken) enqueue(deliverKind, delivery);
    return taken.length === batch ? 'more' : 'done';
  },
};
