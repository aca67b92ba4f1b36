import type { SqlEntityManager } from '#platform/database/database.js';
import type { JobDefinition, JobPayload } from '#platform/jobs/job.js';
import type { Consumer } from '#platform/outbox/consumer.js';
import { auditEvent } from '#platform/subgraph/audit.js';

import { closePages } from '../stripe/checkout-pages.js';
import { setPaused } from '../stripe/pause.js';
import { liveSubscriptions, type Snapshot } from '../stripe/snapshot.js';
import type { StripeSource } from '../stripe/stripe-client.js';
import type { BillingSubscription } from './subscription.entity.js';
import { lockSubscription, readSubscription } from './subscription.store.service.js';
import { collectSuspendedKind } from './suspended-tenant.kind.js';
import { wantSync } from './sync-request.service.js';

/** Keeps in mind which tenants are suspended, and has nothing collected of them meanwhile. */
export const followSuspensions: Consumer = {
  topics: ['identity.tenant.suspended', 'identity.tenant.restored'],
  async handle({ em, event: { topic, tenantId }, now, enqueue }) {
    const row = await lockSubscription(em, tenantId);
    row.suspendedAt = topic === 'identity.tenant.suspended' ? now : null;
    await em.flush();
    if (row.customerId !== null) enqueue(collectSuspendedKind, { tenantId });
  },
};

/** Whether what Stripe collects is not what is to be: nothing of a suspended tenant, unless the panel charges these. */
export function isCollectionWrong(
  { suspendedAt }: Pick<BillingSubscription, 'suspendedAt'>,
  { paused }: Snapshot,
  chargesSuspended: boolean,
): boolean {
  return suspendedAt !== null && !chargesSuspended ? paused === undefined : paused === 'HERE';
}

/**
 * Has nothing collected of a tenant that is suspended, whose pages on which more could be bought are closed, and again from
 * the next invoice on once it is restored. A look that sees it otherwise asks for this once more.
 */
export function collectSuspendedJob(
  stripe: StripeSource,
  chargesSuspended: boolean,
): JobDefinition<JobPayload> {
  return {
    ...collectSuspendedKind,
    async handle({ em, payload: { tenantId }, now, write }) {
      const { customerId } = await readSubscription(em, tenantId);
      if (customerId === null) return;
      const isToPause = async () => !chargesSuspended && (await isSuspended(em, tenantId));
      if (await isToPause()) await closePages(stripe(), customerId);
      for (const found of await liveSubscriptions(stripe(), customerId)) {
        // As it is by now: it may have been restored while Stripe was asked.
        const isPaused = await isToPause();
        if (!(await setPaused(stripe(), found, isPaused))) continue;
        await write(async ({ publish }) =>
          publish(
            auditEvent(
              { name: isPaused ? 'pauseCollection' : 'resumeCollection', args: {} },
              { tenantId, target: found.id, actor: 'svc:billing', actorKind: 'service', clientAddress: '' },
            ),
          ),
        );
      }
      await write(async (step) => wantSync(step, tenantId, now));
    },
  };
}

async function isSuspended(em: SqlEntityManager, tenantId: string): Promise<boolean> {
  const found = await em.execute<unknown[]>(
    'select 1 from billing.subscription where tenant_id = ? and suspended_at is not null',
    [tenantId],
  );
  return found.length > 0;
}
