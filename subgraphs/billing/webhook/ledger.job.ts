import type Stripe from 'stripe';

import { BatchQueue } from '#platform/batch-queue.js';
import type { Clock } from '#platform/clock.js';
import type { Database } from '#platform/database/database.js';
import { systemEm, systemStatement } from '#platform/database/system-em.js';
import { ApiError } from '#platform/errors.js';
import type { Sweep } from '#platform/membership/sweep.js';

import type { LookQueue } from '../subscription/look-queue.js';
import { enqueueSyncs } from '../subscription/sync.job.js';

/** What became of a webhook. */
export type Taken = 'taken' | 'known' | 'not ours';

interface Given {
  event: Stripe.Event;
  customer: string | undefined;
  again: boolean;
}

const batchSize = 200;
/** More than wait at any time but in an outage of the database; Stripe comes again. */
const mostWaiting = 5_000;

/**
 * Takes webhooks: each event once, with the request to look at the subscription that it tells of, whichever tenants they
 * are of. Those that come together are one statement, so that a burst takes one connection and not all that clients have.
 */
export class WebhookLedger {
  private readonly queue: BatchQueue<Given, Taken>;

  /** Without `looks`, as in a command, jobs look. */
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly looks?: LookQueue,
  ) {
    this.queue = new BatchQueue({
      batchSize,
      capacity: mostWaiting,
      flush: async (batch) => (await this.store(batch)).map((answer) => ({ answer })),
      refuse: () => new ApiError('UNAVAILABLE', 'Too many webhooks at once', { retryAfterSeconds: 10 }),
    });
  }

  /**
   * Resolves once it is committed. With `again` an event that is known is acted upon once more. `customer` is whom it is
   * about; the payload is believed in nothing else.
   */
  async take(event: Stripe.Event, customer: string | undefined, { again = false } = {}): Promise<Taken> {
    return this.queue.add({ event, customer, again });
  }

  /** Takes no more, and stores what waits. */
  async stop(): Promise<void> {
    await this.queue.stop();
  }

  private async store(batch: readonly Given[]): Promise<Taken[]> {
    const now = this.clock.now();
    const given = batch.flatMap(({ event, customer, again }, at) =>
      customer === undefined ? [] : [{ at, customer, again, ...factsOf(event) }],
    );
    if (given.length === 0) return batch.map(() => 'not ours');
    const events = JSON.stringify(given);
    if (!this.looks?.hasRoomFor(given.length)) {
      const found = await systemEm(this.database).transactional(async (em) => {
        const all = await em.execute<Stored[]>(takeSql, [events, now, now, 'JOB']);
        await enqueueSyncs(em, newlyWanted(all));
        return all;
      });
      return outcomesOf(batch, found);
    }
    const rows = await systemStatement<Stored>(this.database, takeSql, [events, now, now, 'PROCESS']);
    this.looks.add(newlyWanted(rows));
    return outcomesOf(batch, rows);
  }
}

/** An event of a tenant's customer. */
interface Stored {
  at: number;
  tenantId: string;
  eventId: string;
  again: boolean;
  isNew: boolean;
  /** How often a look at the tenant was asked for since the last; null where this one does not ask. */
  wanted: string | null;
}

/**
 * Keeps the events of customers of ours and asks for a look at each of them that has a new one. Of others nothing is kept.
 * All in one order, so that batches of two processes wait for each other and not in a circle.
 */
const takeSql = `
  with given as materialized (
    select g.*, s.tenant_id as "tenantId"
    from jsonb_to_recordset(?::jsonb) as g (at integer, customer text, again boolean, "eventId" text, type text,
      "objectId" text, "createdAt" timestamptz)
    join billing.subscription s on s.customer_id = g.customer),
  taken as (
    insert into billing.webhook_event (tenant_id, event_id, type, object_id, created_at, received_at)
    select "tenantId", "eventId", type, "objectId", "createdAt", ? from given
    order by 1, 2 on conflict do nothing returning tenant_id, event_id),
  asked as (
    insert into billing.sync_request as r (tenant_id, wanted_at, looker)
    select distinct g."tenantId", ?::timestamptz, ? from given g
    where g.again or exists (
      select 1 from taken t where t.tenant_id = g."tenantId" and t.event_id = g."eventId")
    order by 1
    on conflict (tenant_id) do update set wanted = r.wanted + 1, asked = excluded.asked returning tenant_id, wanted)
  select g.at, g."tenantId", g."eventId", g.again, t.event_id is not null as "isNew", a.wanted
  from given g
  left join taken t on t.tenant_id = g."tenantId" and t.event_id = g."eventId"
  left join asked a on a.tenant_id = g."tenantId"
  order by g.at`;

/** Tenants whom nobody is to look at yet. */
const newlyWanted = (rows: readonly Stored[]): string[] => [
  ...new Set(rows.filter(({ wanted }) => wanted === '1').map(({ tenantId }) => tenantId)),
];

function outcomesOf(batch: readonly Given[], rows: readonly Stored[]): Taken[] {
  const outcomes: Taken[] = batch.map(() => 'not ours');
  const first = new Set<string>();
  for (const { at, tenantId, eventId, again, isNew } of rows) {
    // The second of two in one batch is known by then.
    const isFirst = isNew && !first.has(`${tenantId} ${eventId}`);
    first.add(`${tenantId} ${eventId}`);
    outcomes[at] = isFirst || again ? 'taken' : 'known';
  }
  return outcomes;
}

function factsOf({ id, type, created, data }: Stripe.Event): {
  eventId: string;
  type: string;
  objectId: string;
  createdAt: string;
} {
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
