import Stripe from 'stripe';

import type { JobDefinition, JobPayload } from '#platform/jobs/job.js';
import type { Consumer } from '#platform/outbox/consumer.js';
import type { TenantRenamed } from '#schema/events.js';

import type { StripeSource } from '../stripe/stripe-client.js';
import { renameCustomerKind } from './rename-customer.kind.js';
import { readSubscription } from './subscription.store.service.js';

/** Keeps what a tenant is called from now on, and has its customer called so as well. */
export const followNames: Consumer = {
  topics: ['identity.tenant.renamed'],
  async handle({ em, event, enqueue }) {
    const { tenantId } = event;
    const { name } = event.payload as unknown as TenantRenamed;
    const [row] = await em.execute<{ customerId: string | null }[]>(
      'update billing.subscription set name = ? where tenant_id = ? returning customer_id as "customerId"',
      [name, tenantId],
    );
    if (row && row.customerId !== null) enqueue(renameCustomerKind, { tenantId });
  },
};

/** Says at Stripe what a tenant is called now; invoices have it from then on. */
export function renameCustomerJob(stripe: StripeSource): JobDefinition<JobPayload> {
  return {
    ...renameCustomerKind,
    async handle({ em, payload: { tenantId } }) {
      const { customerId, name } = await readSubscription(em, tenantId);
      if (customerId === null || name === null) return;
      try {
        await stripe().customers.update(customerId, { name });
      } catch (error) {
        // Somebody has deleted it there: the next one is made with the name.
        if (error instanceof Stripe.errors.StripeError && error.code === 'resource_missing') return;
        throw error;
      }
    },
  };
}
