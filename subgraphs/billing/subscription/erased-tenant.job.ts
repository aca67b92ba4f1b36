import Stripe from 'stripe';

import type { JobDefinition, JobKind, JobPayload } from '#platform/jobs/job.js';
import type { Consumer } from '#platform/outbox/consumer.js';
import type { TenantErased } from '#schema/events.js';

import type { StripeSource } from '../stripe/stripe-client.js';

interface ForgetCustomerPayload extends JobPayload {
  /** Told, since the row that knows it is about to go. */
  customerId: string;
}

/** Over a day: it is asked for once only. */
const forgetCustomerKind: JobKind<ForgetCustomerPayload> = {
  name: 'billing.customer.forget',
  retry: { limit: 110, delaySeconds: 5, maxDelaySeconds: 15 * 60 },
  expireInSeconds: 60,
};

/** Has the customer of a tenant that is erased deleted at Stripe as well. */
export const forgetCustomers: Consumer = {
  topics: ['identity.tenant.erased'],
  async handle({ em, event, enqueue }) {
    const { tenantId } = event.payload as unknown as TenantErased;
    const [row] = await em.execute<{ customerId: string | null }[]>(
      'select customer_id as "customerId" from billing.subscription where tenant_id = ?',
      [tenantId],
    );
    const customerId = row?.customerId;
    if (customerId) enqueue(forgetCustomerKind, { tenantId, customerId });
  },
};

/**
 * Deletes a customer with its payment methods, which ends its subscriptions at once, without a last invoice. What it was
 * charged stays at Stripe, as the law wants of whoever sold something.
 */
export function forgetCustomerJob(stripe: StripeSource): JobDefinition<ForgetCustomerPayload> {
  return {
    ...forgetCustomerKind,
    async handle({ payload: { customerId } }) {
      try {
        await stripe().customers.del(customerId);
      } catch (error) {
        // It is deleted already.
        if (error instanceof Stripe.errors.StripeError && error.code === 'resource_missing') return;
        throw error;
      }
    },
  };
}
