import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import type { Database } from '#platform/database/database.js';
import type { Logger } from '#platform/logger.js';

import { MetricsFeed, type SampleEvent } from './metrics-feed.js';
import { measuredColumns, sampleOf, type MeasuredRow } from './metrics-sample.js';
import { announcements, readAnnouncement } from './relay-message.js';

/** Sends payloads on the relay's channel. */
export type Notify = (channel: string, payloads: readonly string[]) => Promise<unknown>;

export interface StoredRow extends MeasuredRow {
  tenant_id: string;
}

const channel = 'fleet_metrics';
const pauseMs = 50;

/**
 * Brings each committed beat to the readers of all processes. Samples are for screens and too many for the outbox, so
 * they go from memory to the readers here, while the other processes are told by NOTIFY which instances have beaten: ids
 * only, gathered from all batches of 50 ms. A process listens from its first reader on, and reads the rows of instances
 * of tenants that it has readers of. A beat told while its connection is being made anew is missed; the next is not.
 */
export class MetricsRelay {
  private static readonly relays = new WeakMap<Database, MetricsRelay>();

  private readonly feed = new MetricsFeed();
  private readonly processId = randomUUID().slice(0, 8);
  /** Ids by tenant: what other processes are still to be told, and what this one is still to read. */
  private untold = new Map<string, Set<string>>();
  private readonly unread = new Map<string, Set<string>>();
  private telling: Promise<void> | undefined;
  /** Samples of this process for its own readers. */
  private undelivered: StoredRow[] = [];
  private delivering: Promise<void> | undefined;
  private listening: Promise<() => Promise<void>> | undefined;
  private readonly stopping = new AbortController();

  constructor(
    private readonly database: Database,
    private readonly logger: Logger,
  ) {
    MetricsRelay.relays.set(database, this);
  }

  /** A `@Subscription` has no resolver instance at hand when it is opened, but the operation's database. */
  static of(database: Database): MetricsRelay {
    const relay = this.relays.get(database);
    if (!relay) throw new Error('this database has no metrics relay');
    return relay;
  }

  /** Samples of the tenant from now on, whichever process takes the beats. */
  async open(tenantId: string, instanceId: string | undefined): Promise<AsyncIterableIterator<SampleEvent>> {
    this.listening ??= this.database.connections.standing.listen(channel, {
      hear: (payload) => this.hear(payload),
    });
    await this.listening;
    return this.feed.open(tenantId, instanceId);
  }

  /** For the writer of beats, when these are committed. Returns at once. */
  stored(rows: Iterable<StoredRow>, notify: Notify): void {
    for (const row of rows) {
      if (this.feed.isRead(row.tenant_id)) this.undelivered.push(row);
      idsOf(this.untold, row.tenant_id).add(row.id);
    }
    if (this.undelivered.length > 0) this.delivering ??= this.deliver();
    this.telling ??= this.tell(notify);
  }

  /** Tells what is still untold. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.telling;
    await this.delivering;
    await (
      await this.listening
    )?.();
  }

  private async deliver(): Promise<void> {
    try {
      while (this.undelivered.length > 0) {
        const rows = this.undelivered;
        this.undelivered = [];
        await this.database.heard(new Set(rows.map((row) => row.tenant_id)));
        for (const row of rows) this.feed.deliver(row.tenant_id, [sampleOf(row)]);
      }
    } catch (error) {
      this.logger.warn({ err: error }, 'beats could not be told to readers');
    } finally {
      this.delivering = undefined;
    }
  }

  private async tell(notify: Notify): Promise<void> {
    try {
      while (this.untold.size > 0) {
        const payloads = announcements(this.processId, this.untold);
        this.untold = new Map();
        await notify(channel, payloads);
        await sleep(pauseMs, undefined, { signal: this.stopping.signal, ref: false }).catch(() => undefined);
      }
    } catch (error) {
      this.logger.warn({ err: error }, 'beats could not be told to other processes');
    } finally {
      this.telling = undefined;
    }
  }

  private hear(payload: string): void {
    const { from, tenants } = readAnnouncement(payload);
    if (from === this.processId) return;
    for (const [tenantId, ids] of tenants) {
      if (!this.feed.isRead(tenantId)) continue;
      const isReading = this.unread.has(tenantId);
      const unread = idsOf(this.unread, tenantId);
      for (const id of ids) unread.add(id);
      if (!isReading) void this.read(tenantId);
    }
  }

  /** One read of a tenant at a time: what is told meanwhile goes together in the next. */
  private async read(tenantId: string): Promise<void> {
    for (let ids = this.unread.get(tenantId); ids && ids.size > 0; ids = this.unread.get(tenantId)) {
      this.unread.set(tenantId, new Set());
      try {
        const rows = await this.database.forTenant(tenantId).execute<MeasuredRow[]>(
          `select ${measuredColumns} from fleet.instance
           where tenant_id = ? and id in (select jsonb_array_elements_text(?::jsonb)) and last_seen_at is not null`,
          [tenantId, JSON.stringify([...ids])],
        );
        await this.database.heard(new Set([tenantId]));
        this.feed.deliver(tenantId, rows.map(sampleOf));
      } catch (error) {
        this.logger.warn({ err: error }, 'beats of another process could not be read');
      }
    }
    this.unread.delete(tenantId);
  }
}

function idsOf(byTenant: Map<string, Set<string>>, tenantId: string): Set<string> {
  let ids = byTenant.get(tenantId);
  if (!ids) byTenant.set(tenantId, (ids = new Set()));
  return ids;
}
