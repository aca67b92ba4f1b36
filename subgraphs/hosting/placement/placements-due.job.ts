import type { Sweep } from '#platform/membership/sweep.js';

import { advancePlacementKind, claimMs } from './kinds.js';

const atOnce = 100;

/** Has placements take their next steps. One tenant's at a time. */
export const placementsDueSweep: Sweep = {
  name: 'placement.due',
  everyMs: 2_000,
  due: 'select from hosting.placement where due_at <= ?',
  async run({ em, now, enqueue }) {
    const [first] = await em.execute<{ tenantId: string }[]>(
      'select tenant_id as "tenantId" from hosting.placement where due_at <= ? order by due_at limit 1',
      [now],
    );
    if (!first) return 'done';
    const { tenantId } = first;
    const due = await em.execute<{ id: string }[]>(
      `update hosting.placement set due_at = ? where tenant_id = ? and id in (
         select id from hosting.placement where tenant_id = ? and due_at <= ? order by due_at limit ?)
       returning id`,
      [new Date(now.getTime() + claimMs), tenantId, tenantId, now, atOnce],
    );
    for (const { id } of due) enqueue(advancePlacementKind, { tenantId, placementId: id });
    return due.length > 0 ? 'more' : 'done';
  },
};
