import type { JobDefinition, JobPayload } from '#platform/jobs/job.js';
import { auditEvent } from '#platform/subgraph/audit.js';

import { fetchSnapshot } from '../stripe/snapshot.js';
import type { StripeSource } from '../stripe/stripe-client.js';
import { endSurplus } from '../stripe/surplus.js';
import { readSubscription } from './subscription.store.service.js';
import { endSurplusKind } from './surplus.kind.js';

/** Ends at Stripe what lives beside the subscription that is kept, and tells the trail of it. */
export function endSurplusJob(stripe: StripeSource): JobDefinition<JobPayload> {
  return {
    ...endSurplusKind,
    async handle({ em, payload: { tenantId }, write }) {
      const { customerId } = await readSubscription(em, tenantId);
      if (customerId === null) return;
      // As it is now: what was kept may have ended since.
      const snapshot = await fetchSnapshot(stripe(), customerId);
      for (const id of snapshot?.surplus ?? []) {
        if (!(await endSurplus(stripe(), id))) continue;
        await write(async ({ publish }) =>
          publish(
            auditEvent(
              { name: 'endSurplusSubscription', args: {} },
              {
                tenantId,
                target: id,
                actor: 'svc:billing',
                actorKind: 'service',
                clientAddress: '',
                changes: { kept: snapshot?.stripeId },
              },
            ),
          ),
        );
      }
    },
  };
}
