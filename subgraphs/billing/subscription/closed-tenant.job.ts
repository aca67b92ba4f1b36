import type { JobDefinition, JobPayload } from '#platform/jobs/job.js';
import type { Consumer } from '#platform/outbox/consumer.js';
import { auditEvent } from '#platform/subgraph/audit.js';

import { closePages } from '../stripe/checkout-pages.js';
import { once } from '../stripe/once.js';
import { liveSubscriptions } from '../stripe/snapshot.js';
import type { StripeSource } from '../stripe/stripe-client.js';
import { endClosedKind } from './closed-tenant.kind.js';
import { isClosed, lockSubscription, readSubscription } from './subscription.store.service.js';
import { wantSync } from './sync-request.service.js';

/** Keeps in mind which tenants are closed, and has what they subscribe to ended. One that is opened again begins anew. */
export const followClosings: Consumer = {
  topics: ['identity.tenant.closed', 'identity.tenant.reopened'],
  async handle({ em, event: { topic, tenantId }, now, enqueue }) {
    const row = await lockSubscription(em, tenantId);
    row.closedAt = topic === 'identity.tenant.closed' ? now : null;
    await em.flush();
    if (row.closedAt && row.customerId !== null) enqueue(endClosedKind, { tenantId });
  },
};

/**
 * Ends at once, without a last invoice and without money back, whatever a closed tenant's customer subscribes to, and closes
 * the pages on which it could subscribe again. Stripe then tries no open invoice any more. A change that is under way may
 * subscribe after that: a look that sees it asks for this once more.
 */
export function endClosedJob(stripe: StripeSource): JobDefinition<JobPayload> {
  return {
    ...endClosedKind,
    async handle({ em, payload: { tenantId }, now, write }) {
      const { customerId, closedAt } = await readSubscription(em, tenantId);
      if (customerId === null || closedAt === null) return;
      await closePages(stripe(), customerId);
      for (const { id } of await liveSubscriptions(stripe(), customerId)) {
        // Taken back while Stripe was asked, it may have bought this since.
        if (!(await isClosed(em, tenantId))) return;
        await once(`closed-${id}`, async (options) => stripe().subscriptions.cancel(id, {}, options));
        await write(async ({ publish }) =>
          publish(
            auditEvent(
              { name: 'endSubscriptionOfClosed', args: {} },
              { tenantId, target: id, actor: 'svc:billing', actorKind: 'service', clientAddress: '' },
            ),
          ),
        );
      }
      await write(async (step) => wantSync(step, tenantId, now));
    },
  };
}
