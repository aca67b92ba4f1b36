import type Stripe from 'stripe';

import { BatchQueue } from '#platform/batch-queue.js';
import type { Clock } from '#platform/clock.js';
import type { Database, SqlEntityManager } from '#platform/database/database.js';
import { systemEm } from '#platform/database/system-em.js';
import { ApiError } from '#platform/errors.js';
import { JobBatch } from '#platform/jobs/enqueue.js';
import type { Sweep } from '#platform/membership/sweep.js';

import { syncKind } from '../subscription/sync-request.service.js';

/** What became of a webhook. */
export type Taken = 'taken' | 'known' | 'not ours';

interface Given {
  event: Stripe.Event;
  again: boolean;
}

const batchSize = 200;
/** More than wait at any time but in an outage of the database; Stripe comes again. */
const mostWaiting = 5_000;

/**
 * Takes webhooks: each event once, with the job that acts on it, whichever tenants they are of. Those that come together
 * are one transaction, so that a burst takes one connection and not all that clients have.
 */
export class WebhookLedger {
  private readonly queue: BatchQueue<Given, Taken>;

  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
  ) {
    this.queue = new BatchQueue({
      batchSize,
      capacity: mostWaiting,
      flush: async (batch) => (await this.store(batch)).map((answer) => ({ answer })),
      refuse: () => new ApiError('UNAVAILABLE', 'Too many webhooks at once', { retryAfterSeconds: 10 }),
    });
  }

  /** Resolves once it is committed. With `again` an event that is known is acted upon once more. */
  async take(event: Stripe.Event, { again = false } = {}): Promise<Taken> {
    return this.queue.add({ event, again });
  }

  /** Takes no more, and stores what waits. */
  async stop(): Promise<void> {
    await this.queue.stop();
  }

  private async store(batch: readonly Given[]): Promise<Taken[]> {
    const now = this.clock.now();
    return systemEm(this.database).transactional(async (em) => {
      const tenants = await tenantsOf(em, batch);
      const rows = batch.flatMap(({ event, again }, at) => {
        const tenantId = tenants.get(customerOf(event) ?? '');
        return tenantId === undefined ? [] : [{ at, tenantId, again, ...factsOf(event) }];
      });
      const taken = rows.length === 0 ? new Set<string>() : await insertNew(em, rows, now);
      const outcomes: Taken[] = batch.map(() => 'not ours');
      const wanted = new Set<string>();
      for (const { at, tenantId, eventId, again } of rows) {
        // The second of two in one batch is known by then.
        const isNew = taken.delete(`${tenantId} ${eventId}`);
        outcomes[at] = isNew || again ? 'taken' : 'known';
        if (isNew || again) wanted.add(tenantId);
      }
      await wantSyncs(em, [...wanted].toSorted(), now);
      return outcomes;
    });
  }
}

interface Row {
  tenantId: string;
  eventId: string;
  type: string;
  objectId: string;
  createdAt: string;
}

/** Of events that are no tenant's nothing is kept. */
async function tenantsOf(em: SqlEntityManager, batch: readonly Given[]): Promise<Map<string, string>> {
  const customers = new Set(batch.flatMap(({ event }) => customerOf(event) ?? []));
  if (customers.size === 0) return new Map();
  const found = await em.execute<{ customer: string; tenantId: string }[]>(
    `select s.customer_id as customer, s.tenant_id as "tenantId" from billing.subscription s
     where s.customer_id in (select jsonb_array_elements_text(?::jsonb))`,
    [JSON.stringify([...customers])],
  );
  return new Map(found.map(({ customer, tenantId }) => [customer, tenantId]));
}

/** In one order, so that batches of two processes wait for each other and not in a circle. */
async function insertNew(em: SqlEntityManager, rows: readonly Row[], now: Date): Promise<Set<string>> {
  const taken = await em.execute<{ key: string }[]>(
    `insert into billing.webhook_event (tenant_id, event_id, type, object_id, created_at, received_at)
     select w."tenantId", w."eventId", w.type, w."objectId", w."createdAt", ?
     from jsonb_to_recordset(?::jsonb) as w ("tenantId" text, "eventId" text, type text, "objectId" text,
       "createdAt" timestamptz)
     order by 1, 2 on conflict do nothing returning tenant_id || ' ' || event_id as key`,
    [now, JSON.stringify(rows)],
  );
  return new Set(taken.map(({ key }) => key));
}

async function wantSyncs(em: SqlEntityManager, tenantIds: readonly string[], now: Date): Promise<void> {
  if (tenantIds.length === 0) return;
  const requests = await em.execute<{ tenantId: string; wanted: string }[]>(
    `insert into billing.sync_request as r (tenant_id, wanted_at)
     select t.id, ? from jsonb_array_elements_text(?::jsonb) with ordinality as t (id, at) order by t.at
     on conflict (tenant_id) do update set wanted = r.wanted + 1 returning tenant_id as "tenantId", wanted`,
    [now, JSON.stringify(tenantIds)],
  );
  const jobs = new JobBatch();
  for (const { tenantId, wanted } of requests) if (wanted === '1') jobs.enqueue(syncKind, { tenantId });
  await jobs.send(em, 'billing', { requestId: 'webhook' });
}

/** Whom an event is about; the payload is believed in nothing else. */
function customerOf({ data }: Stripe.Event): string | undefined {
  const object = data.object as { object?: string; id?: string; customer?: string | { id: string } | null };
  if (object.object === 'customer') return object.id;
  return typeof object.customer === 'string' ? object.customer : object.customer?.id;
}

function factsOf({ id, type, created, data }: Stripe.Event): Omit<Row, 'tenantId'> {
  const objectId = (data.object as { id?: string }).id ?? '';
  return { eventId: id, type, objectId, createdAt: new Date(created * 1000).toISOString() };
}

const keptMs = 35 * 24 * 60 * 60 * 1000;
const forgottenAtOnce = 5_000;

/** Forgets webhooks of more than a month ago, longer than Stripe repeats or lists them. */
export const ledgerRetentionSweep: Sweep = {
  name: 'webhook.forget',
  everyMs: 60 * 60 * 1000,
  async run({ em, now }) {
    const gone = await em.execute<unknown[]>(
      `delete from billing.webhook_event where (tenant_id, event_id) in (
         select tenant_id, event_id from billing.webhook_event where received_at <= ?
         order by received_at limit ?) returning 1`,
      [new Date(now.getTime() - keptMs), forgottenAtOnce],
    );
    return gone.length === forgottenAtOnce ? 'more' : 'done';
  },
};
