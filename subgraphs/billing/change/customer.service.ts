import { createHash } from 'node:crypto';

import { enqueue } from '#platform/jobs/enqueue.js';
import type { Operation } from '#platform/subgraph/operation.js';

import { once } from '../stripe/once.js';
import type { StripeSource } from '../stripe/stripe-client.js';
import { asking } from '../stripe/stripe-errors.js';
import { reconcileMs } from '../subscription/apply.js';
import { renameCustomerKind } from '../subscription/rename-customer.kind.js';
import { lockSubscription, readSubscription } from '../subscription/subscription.store.service.js';
import type { StripeClocks } from '../test-clock/stripe-clock.service.js';
import { isLive } from './change.rules.js';

/** Tenants as Stripe knows them. */
export class CustomerService {
  constructor(
    private readonly stripe: StripeSource,
    private readonly testClocks: StripeClocks,
  ) {}

  /** The tenant's customer, made when it is asked for first, or when somebody has deleted the one before at Stripe. */
  async of(operation: Operation): Promise<string> {
    const { em, tenantId, clock } = operation;
    const known = await readSubscription(em, tenantId);
    const { customerId: before, name } = known;
    // What lives by our books is looked at under the old one first, so that its end is seen.
    if (before !== null && (isLive(known) || !(await this.isDeleted(before)))) return before;
    const testClock = await this.testClocks.forCustomer(operation);
    const params = {
      ...(name === null ? {} : { name }),
      metadata: { tenant_id: tenantId },
      ...(testClock === undefined ? {} : { test_clock: testClock }),
    };
    // The same for calls at the same time, and for one after a death in between: one customer.
    const stamp = createHash('sha256')
      .update(JSON.stringify(params) + (before ?? ''))
      .digest('base64url');
    const made = await asking(() =>
      once(`customer-${tenantId}-${stamp}`, async (options) =>
        this.stripe().customers.create(params, options),
      ),
    );
    return operation.database.forTenant(tenantId).transactional(async (write) => {
      const row = await lockSubscription(write, tenantId);
      if (row.customerId === before) row.customerId = made.id;
      // Whoever kept the new name found no customer that could be told of it.
      if (row.name !== name) {
        const { requestId: causedBy } = operation.request;
        await enqueue(write, 'billing', renameCustomerKind, { tenantId }, { causedBy });
      }
      row.reconcileAt ??= new Date(clock.now().getTime() + reconcileMs);
      return row.customerId ?? made.id;
    });
  }

  private async isDeleted(customer: string): Promise<boolean> {
    const { deleted = false } = await asking(() => this.stripe().customers.retrieve(customer));
    return deleted;
  }
}
