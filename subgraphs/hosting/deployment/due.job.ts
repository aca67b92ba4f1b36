import type { Sweep } from '#platform/membership/sweep.js';

import { applyKind } from './pending.job.js';
import { claimMs } from './retry.js';

const atOnce = 100;

/** Has deployments applied, or deleted, of which nobody knows whether they were. One tenant's at a time. */
export const deploymentsDueSweep: Sweep = {
  name: 'deployment.due',
  everyMs: 2_000,
  due: 'select from hosting.deployment where due_at <= ?',
  async run({ em, now, enqueue }) {
    const [first] = await em.execute<{ tenantId: string }[]>(
      'select tenant_id as "tenantId" from hosting.deployment where due_at <= ? order by due_at limit 1',
      [now],
    );
    if (!first) return 'done';
    const due = await em.execute<{ id: string }[]>(
      `update hosting.deployment set due_at = ? where tenant_id = ? and id in (
         select id from hosting.deployment where tenant_id = ? and due_at <= ? order by due_at limit ?)
       returning id`,
      [new Date(now.getTime() + claimMs), first.tenantId, first.tenantId, now, atOnce],
    );
    for (const { id } of due) enqueue(applyKind, { tenantId: first.tenantId, deploymentId: id });
    return due.length > 0 ? 'more' : 'done';
  },
};

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
    await em.execute('delete from hosting.cluster where deleted_at < ?', [before]);
    return 'done';
  },
};
