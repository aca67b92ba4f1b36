import type { Sweep } from '#platform/membership/sweep.js';

import { claimMs, lookKind } from './kinds.js';

const atOnce = 50;

/** Has repositories looked at that are due, one tenant's at a time. Whoever dies over one leaves it due again. */
export const gitOpsDueSweep: Sweep = {
  name: 'gitops.due',
  everyMs: 2_000,
  due: 'select from governance.gitops_config where next_check_at <= ?',
  async run({ em, now, enqueue }) {
    const [first] = await em.execute<{ tenantId: string }[]>(
      `select tenant_id as "tenantId" from governance.gitops_config
       where next_check_at <= ? order by next_check_at limit 1`,
      [now],
    );
    if (!first) return 'done';
    const { tenantId } = first;
    const due = await em.execute<{ id: string }[]>(
      `update governance.gitops_config set next_check_at = ? where tenant_id = ? and id in (
         select id from governance.gitops_config where tenant_id = ? and next_check_at <= ?
         order by next_check_at limit ?)
       returning id`,
      [new Date(now.getTime() + claimMs), tenantId, tenantId, now, atOnce],
    );
    for (const { id: configId } of due) enqueue(lookKind, { tenantId, configId });
    return 'more';
  },
};
