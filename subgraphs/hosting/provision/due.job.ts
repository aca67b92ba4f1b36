import { dueSweep } from '#platform/membership/due-sweep.js';
import type { Sweep } from '#platform/membership/sweep.js';

import { advanceKind, pollKind, reconcileKind } from './kinds.js';
import { claimMs } from './pace.js';

const reconcileMs = 5 * 60_000;

/** Has the steps taken that are due. */
export const serversDueSweep = dueSweep({
  name: 'server.due',
  everyMs: 1_000,
  table: 'hosting.server',
  claimMs,
  job: advanceKind,
  payload: (tenantId, serverId, until) => ({ tenantId, serverId, dueAt: until.toISOString() }),
});

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
    const until = new Date(now.getTime() + claimMs);
    await em.execute('update hosting.provider_account set poll_at = ? where tenant_id = ? and provider = ?', [
      until,
      due.tenantId,
      due.provider,
    ]);
    enqueue(pollKind, { ...due, dueAt: until.toISOString() });
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
    const until = new Date(now.getTime() + reconcileMs);
    await em.execute(
      'update hosting.provider_account set reconcile_at = ? where tenant_id = ? and provider = ?',
      [until, due.tenantId, due.provider],
    );
    enqueue(reconcileKind, { ...due, dueAt: until.toISOString() });
    return 'more';
  },
};
