import { createHash } from 'node:crypto';

import type { Operation } from '#platform/subgraph/operation.js';

import { once } from '../stripe/once.js';
import type { StripeSource } from '../stripe/stripe-client.js';
import { asking } from '../stripe/stripe-errors.js';
import { reconcileMs } from '../subscription/apply.js';
import { lockSubscription, readSubscription } from '../subscription/subscription.store.service.js';
import type { StripeClocks } from '../test-clock/stripe-clock.service.js';

/** Tenants as Stripe knows them. */
export class CustomerService {
  constructor(
    private readonly stripe: StripeSource,
    private readonly testClocks: StripeClocks,
  ) {}

  /** The tenant's customer, made when it is asked for first. */
  async of(operation: Operation): Promise<string> {
    const { em, tenantId, clock } = operation;
    const { customerId, name } = await readSubscription(em, tenantId);
    if (customerId !== null) return customerId;
    const testClock = await this.testClocks.forCustomer(operation);
    const params = {
      ...(name === null ? {} : { name }),
      metadata: { tenant_id: tenantId },
      ...(testClock === undefined ? {} : { test_clock: testClock }),
    };
    // The same for calls at the same time, and for one after a death in between: one customer.
    const stamp = createHash('sha256').update(JSON.stringify(params)).digest('base64url');
    const made = await asking(() =>
      once(`customer-${tenantId}-${stamp}`, async (options) =>
        this.stripe().customers.create(params, options),
      ),
    );
    return operation.database.forTenant(tenantId).transactional(async (write) => {
      const row = await lockSubscription(write, tenantId);
      row.customerId ??= made.id;
      row.reconcileAt ??= new Date(clock.now().getTime() + reconcileMs);
      return row.customerId;
    });
  }
}
