import { dueSweep } from '#platform/membership/due-sweep.js';
import type { Sweep } from '#platform/membership/sweep.js';

import { applyKind } from './kinds.js';
import { claimMs } from './retry.js';

/** Has deployments applied, or deleted, of which nobody knows whether they were. */
export const deploymentsDueSweep = dueSweep({
  name: 'deployment.due',
  everyMs: 2_000,
  table: 'hosting.deployment',
  claimMs,
  job: applyKind,
  payload: (tenantId, deploymentId, until) => ({ tenantId, deploymentId, dueAt: until.toISOString() }),
});

/** What is gone is kept for as long as events are. */
export const kubernetesRetention: Sweep = {
  name: 'kubernetes.retention',
  everyMs: 600_000,
  async run({ em, now }) {
    const before = new Date(now.getTime() - 86_400_000);
    const gone = await em.execute<unknown[]>(
      `delete from hosting.deployment where (tenant_id, id) in (
         select tenant_id, id from hosting.deployment where deleted_at < ? order by deleted_at limit 1000) returning 1`,
      [before],
    );
    if (gone.length > 0) return 'more';
    await em.execute('delete from hosting.placement where deleted_at < ?', [before]);
    await em.execute(
      `delete from hosting.cluster c where c.deleted_at < ? and not exists (
         select 1 from hosting.deployment d where d.tenant_id = c.tenant_id and d.cluster_id = c.id)`,
      [before],
    );
    return 'done';
  },
};
