import type Stripe from 'stripe';

import type { Clock } from '#platform/clock.js';
import type { Database } from '#platform/database/database.js';
import { JobBatch } from '#platform/jobs/enqueue.js';

import { syncKind } from '../subscription/sync-request.service.js';

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
      // Both in one statement: a webhook is answered after one round trip between BEGIN and COMMIT.
      const [row] = await em.execute<{ wanted: string | null }[]>(takeSql, [
        tenantId,
        event.id,
        event.type,
        objectOf(event),
        new Date(event.created * 1000),
        now,
        again,
        tenantId,
        now,
      ]);
      // Told before: it was acted upon, or is about to be.
      if (!row || row.wanted === null) return 'known';
      if (row.wanted === '1') {
        const jobs = new JobBatch();
        jobs.enqueue(syncKind, { tenantId });
        await jobs.send(em, 'billing', { requestId, tenantId });
      }
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

const takeSql = `with taken as (
    insert into billing.webhook_event (tenant_id, event_id, type, object_id, created_at, received_at)
    values (?, ?, ?, ?, ?, ?) on conflict do nothing returning 1
  ), wanted as (
    insert into billing.sync_request as r (tenant_id, wanted_at)
    select w.tenant_id, w.wanted_at from (select ?::boolean as again, ?::text as tenant_id, ?::timestamptz as wanted_at) w
    where w.again or exists (select from taken)
    on conflict (tenant_id) do update set wanted = r.wanted + 1 returning wanted
  )
  select (select wanted from wanted) as wanted`;

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
