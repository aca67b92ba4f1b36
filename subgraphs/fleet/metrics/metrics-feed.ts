import type { MetricsSample } from './metrics-sample.js';

/** What a subscription's resolver gets as its root value. */
export interface SampleEvent {
  payload: MetricsSample;
}

interface Reader {
  /** Only this instance; all of the tenant's when absent. */
  instanceId: string | undefined;
  take(sample: MetricsSample): void;
}

interface TenantReaders {
  readers: Set<Reader>;
  /** The time of the newest sample handed out of each instance. */
  newest: Map<string, number>;
}

// Of a reader that does not keep up, the instances which have waited longest are left out beyond this.
const maxWaiting = 1_000;

/**
 * The samples of this moment, for the readers in this process. What nobody reads is dropped at once, and there is no
 * replay: history has it all. A reader too slow for its fleet is not cut off but gets the newest sample of each
 * instance, as a gauge would show.
 */
export class MetricsFeed {
  private readonly tenants = new Map<string, TenantReaders>();

  isRead(tenantId: string): boolean {
    return this.tenants.has(tenantId);
  }

  /** Hands samples to the tenant's readers. One that is no newer than what they had is left out. */
  deliver(tenantId: string, samples: readonly MetricsSample[]): void {
    const tenant = this.tenants.get(tenantId);
    if (!tenant) return;
    for (const sample of samples) {
      const at = sample.timestamp.getTime();
      if (at <= (tenant.newest.get(sample.instanceId) ?? -Infinity)) continue;
      tenant.newest.set(sample.instanceId, at);
      for (const reader of tenant.readers) {
        if (reader.instanceId === undefined || reader.instanceId === sample.instanceId) reader.take(sample);
      }
    }
  }

  /** The tenant's samples from now on, until the reader returns. */
  open(tenantId: string, instanceId: string | undefined): AsyncIterableIterator<SampleEvent> {
    const waiting = new Map<string, MetricsSample>();
    let isClosed = false;
    let wake: (() => void) | undefined;
    const stop = this.add(tenantId, {
      instanceId,
      take: (sample) => {
        waiting.set(sample.instanceId, sample);
        // A map gives its keys in the order they came.
        if (waiting.size > maxWaiting) waiting.delete(waiting.keys().next().value!);
        wake?.();
      },
    });
    const stream: AsyncIterableIterator<SampleEvent> = {
      async next() {
        for (;;) {
          if (isClosed) return { value: undefined, done: true };
          const [first] = waiting;
          if (first) {
            waiting.delete(first[0]);
            return { value: { payload: first[1] }, done: false };
          }
          await new Promise<void>((resolve) => (wake = resolve));
          wake = undefined;
        }
      },
      async return() {
        isClosed = true;
        waiting.clear();
        stop();
        wake?.();
        return { value: undefined, done: true };
      },
      [Symbol.asyncIterator]() {
        return stream;
      },
    };
    return stream;
  }

  private add(tenantId: string, reader: Reader): () => void {
    const tenant = this.tenants.get(tenantId) ?? { readers: new Set(), newest: new Map() };
    this.tenants.set(tenantId, tenant);
    tenant.readers.add(reader);
    return () => {
      tenant.readers.delete(reader);
      if (tenant.readers.size === 0 && this.tenants.get(tenantId) === tenant) this.tenants.delete(tenantId);
    };
  }
}
