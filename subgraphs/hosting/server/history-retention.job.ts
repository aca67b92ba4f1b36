import type { Sweep } from '#platform/membership/sweep.js';

const atOnce = 500;

/** Forgets servers that were deleted long ago, one tenant's at a time. The audit trail keeps that they were there. */
export function historyRetentionSweep(keptDays: number): Sweep {
  return {
    name: 'server.forget',
    everyMs: 60 * 60 * 1000,
    async run({ em, now }) {
      const before = new Date(now.getTime() - keptDays * 86_400_000);
      const [first] = await em.execute<{ tenantId: string }[]>(
        'select tenant_id as "tenantId" from hosting.server where deleted_at < ? order by deleted_at limit 1',
        [before],
      );
      if (!first) return 'done';
      await em.execute(
        `delete from hosting.server where tenant_id = ? and id in (
           select id from hosting.server where tenant_id = ? and deleted_at < ? order by deleted_at limit ?)`,
        [first.tenantId, first.tenantId, before, atOnce],
      );
      return 'more';
    },
  };
}
