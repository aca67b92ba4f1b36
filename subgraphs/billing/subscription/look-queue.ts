import { setTimeout as sleep } from 'node:timers/promises';

export interface LookQueueOptions {
  /** Looks at these; answers those that are to be looked at again. Never throws. */
  look: (tenantIds: readonly string[]) => Promise<readonly string[]>;
  /** Leaves these to somebody else, when the queue stops. */
  handOver: (tenantIds: readonly string[]) => Promise<void>;
}

const batchSize = 64;
const mostWaiting = 2_000;
/** A tenant is looked at once in this time: a renewal is some six webhooks within a second or two. */
const paceMs = 1_000;
/** What comes in this time after a batch began is one batch. */
const gatherMs = 100;

/**
 * Tenants that are to be looked at, each once however often it is asked for. One that nobody looked at just now is looked at
 * at once, alone or with those that wait; what is told of it within the next second is another look at its end. So the last
 * word is always seen, and Stripe is asked no more than twice for one change.
 */
export class LookQueue {
  /** When each may be looked at, by the machine's own time. */
  private readonly waiting = new Map<string, number>();
  private readonly began = new Map<string, number>();
  private working: Promise<void> | undefined;
  private readonly stopped = new AbortController();

  constructor(private readonly options: LookQueueOptions) {}

  hasRoomFor(count: number): boolean {
    return !this.stopped.signal.aborted && this.waiting.size + count <= mostWaiting;
  }

  add(tenantIds: readonly string[]): void {
    const now = performance.now();
    for (const id of tenantIds) {
      const last = this.began.get(id);
      if (!this.waiting.has(id)) this.waiting.set(id, last === undefined ? now : last + paceMs);
    }
    this.working ??= this.work();
  }

  /** Finishes the batch under way, and hands over what waits. */
  async stop(): Promise<void> {
    this.stopped.abort();
    await this.working;
    if (this.waiting.size > 0) await this.options.handOver([...this.waiting.keys()]);
    this.waiting.clear();
  }

  private async work(): Promise<void> {
    // Those of one turn of the event loop go together; and it is known by then that somebody is at work.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.waiting.size > 0 && !this.stopped.signal.aborted) {
      const now = performance.now();
      const batch = this.due(now);
      if (batch.length > 0) {
        for (const id of batch) {
          this.waiting.delete(id);
          // Behind all others, as it began last.
          this.began.delete(id);
          this.began.set(id, now);
        }
        this.add(await this.options.look(batch));
      }
      await this.pause(now + gatherMs);
      this.forget();
    }
    this.working = undefined;
  }

  private due(now: number): string[] {
    const due: string[] = [];
    for (const [id, from] of this.waiting) {
      if (from <= now) due.push(id);
      if (due.length === batchSize) break;
    }
    return due;
  }

  private async pause(until: number): Promise<void> {
    const ms = until - performance.now();
    if (ms > 0) await sleep(ms, undefined, { signal: this.stopped.signal }).catch(() => undefined);
  }

  private forget(): void {
    const longAgo = performance.now() - paceMs;
    // They stand in the order in which they began.
    for (const [id, at] of this.began) {
      if (at > longAgo) return;
      this.began.delete(id);
    }
  }
}
