import type Stripe from 'stripe';

import type { Clock } from '#platform/clock.js';
import type { Database } from '#platform/database/database.js';
import { JobBatch } from '#platform/jobs/enqueue.js';

import { wantSync } from '../subscription/sync-request.service.js';

/** What became of a webhook. */
export type Taken = 'taken' | 'known' | 'not ours';

/** Takes webhooks: each event once, in one short transaction with the job that acts on it. */
export class WebhookLedger {
  /** Customers keep their tenant for good. */
  private readonly tenants = new Map<string, string>();

  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
  ) {}

  /** With `again` an event that is known is acted upon once more. */
  async take(event: Stripe.Event, requestId: string, { again = false } = {}): Promise<Taken> {
    const customer = customerOf(event);
    const tenantId = customer === undefined ? undefined : await this.tenantOf(customer);
    if (tenantId === undefined) return 'not ours';
    const now = this.clock.now();
    return this.database.forTenant(tenantId).transactional(async (em) => {
      const taken = await em.execute<unknown[]>(
        `insert into billing.webhook_event (tenant_id, event_id, type, object_id, created_at, received_at)
         values (?, ?, ?, ?, ?, ?) on conflict do nothing returning 1`,
        [tenantId, event.id, event.type, objectOf(event), new Date(event.created * 1000), now],
      );
      // Told before: it was acted upon, or is about to be.
      if (taken.length === 0 && !again) return 'known';
      const jobs = new JobBatch();
      await wantSync({ em, enqueue: jobs.enqueue }, tenantId, now);
      await jobs.send(em, 'billing', { requestId, tenantId });
      return 'taken';
    });
  }

  private async tenantOf(customer: string): Promise<string | undefined> {
    const known = this.tenants.get(customer);
    if (known !== undefined) return known;
    const [found] = await this.database
      .anonymous()
      .execute<{ tenant_id: string }[]>('select * from billing.find_tenant_of_customer(?)', [customer]);
    if (!found) return undefined;
    if (this.tenants.size >= mostKnown) this.tenants.clear();
    this.tenants.set(customer, found.tenant_id);
    return found.tenant_id;
  }
}

const mostKnown = 100_000;

/** Whom an event is about; the payload is believed in nothing else. */
function customerOf({ data }: Stripe.Event): string | undefined {
  const object = data.object as { object?: string; id?: string; customer?: string | { id: string } | null };
  if (object.object === 'customer') return object.id;
  return typeof object.customer === 'string' ? object.customer : object.customer?.id;
}

function objectOf({ data }: Stripe.Event): string {
  return (data.object as { id?: string }).id ?? '';
}
