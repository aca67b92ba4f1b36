import type { Sweep } from '#platform/membership/sweep.js';
import type { TenantClosed } from '#schema/events.js';

const day = 24 * 60 * 60 * 1000;

/**
 * Tells each day anew which tenants are closed: who was of the version before when it was told has passed that over, and
 * would charge them on. All at once, as there are only those of 30 days.
 */
export const tellClosedSweep: Sweep = {
  name: 'tenant.tell-closed',
  everyMs: day,
  async run({ em, publish }) {
    // None is taken back meanwhile, which has to be told after this.
    const closed = await em.execute<{ id: string; eraseAt: Date }[]>(
      `select id, erase_at as "eraseAt" from identity.tenant
       where erase_at is not null and erasure_id is null and suspended_at is not null order by id for share`,
    );
    for (const { id: tenantId, eraseAt } of closed)
      publish({
        topic: 'identity.tenant.closed',
        tenantId,
        entityId: tenantId,
        payload: { tenantId, eraseAt: new Date(eraseAt).toISOString() } satisfies TenantClosed,
      });
    return 'done';
  },
};
