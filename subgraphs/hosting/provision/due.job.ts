import type { Sweep } from '#platform/membership/sweep.js';

import { advanceKind, pollKind, reconcileKind } from './kinds.js';
import { claimMs } from './pace.js';

const atOnce = 100;
const reconcileMs = 5 * 60_000;

/** Has the steps taken that are due: one tenant's at a time. Whoever dies over one leaves it due again. */
export const serversDueSweep: Sweep = {
  name: 'server.due',
  everyMs: 1_000,
  due: 'select from hosting.server where due_at <= ?',
  async run({ em, now, enqueue }) {
    const [first] = await em.execute<{ tenantId: string }[]>(
      'select tenant_id as "tenantId" from hosting.server where due_at <= ? order by due_at limit 1',
      [now],
    );
    if (!first) return 'done';
    const due = await em.execute<{ id: string }[]>(
      `update hosting.server set due_at = ? where tenant_id = ? and id in (
         select id from hosting.server where tenant_id = ? and due_at <= ? order by due_at limit ? for update skip locked)
       returning id`,
      [new Date(now.getTime() + claimMs), first.tenantId, first.tenantId, now, atOnce],
    );
    for (const { id } of due) enqueue(advanceKind, { tenantId: first.tenantId, serverId: id });
    return due.length > 0 ? 'more' : 'done';
  },
};

/** Has accounts looked at that have servers under way. */
export const accountsDueSweep: Sweep = {
  name: 'account.due',
  everyMs: 1_000,
  due: 'select from hosting.provider_account where poll_at <= ?',
  async run({ em, now, enqueue }) {
    const [due] = await em.execute<{ tenantId: string; provider: string }[]>(
      `select tenant_id as "tenantId", provider from hosting.provider_account where poll_at <= ? order by poll_at limit 1`,
      [now],
    );
    if (!due) return 'done';
    await em.execute('update hosting.provider_account set poll_at = ? where tenant_id = ? and provider = ?', [
      new Date(now.getTime() + claimMs),
      due.tenantId,
      due.provider,
    ]);
    enqueue(pollKind, due);
    return 'more';
  },
};

/** Has accounts compared with what is known here, each every few minutes. */
export const accountsReconcileSweep: Sweep = {
  name: 'account.reconcile',
  everyMs: 10_000,
  due: 'select from hosting.provider_account where reconcile_at <= ?',
  async run({ em, now, enqueue }) {
    const [due] = await em.execute<{ tenantId: string; provider: string }[]>(
      `select tenant_id as "tenantId", provider from hosting.provider_account
       where reconcile_at <= ? order by reconcile_at limit 1`,
      [now],
    );
    if (!due) return 'done';
    await em.execute(
      'update hosting.provider_account set reconcile_at = ? where tenant_id = ? and provider = ?',
      [new Date(now.getTime() + reconcileMs), due.tenantId, due.provider],
    );
    enqueue(reconcileKind, due);
    return 'more';
  },
};
