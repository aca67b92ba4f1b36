import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import type { Clock } from '#platform/clock.js';
import type { Database } from '#platform/database/database.js';
import type { Logger } from '#platform/logger.js';

import { Informer } from '../../deployment/informer.job.js';
import type { KubeClients } from '../api/clients.js';
import { followHealth } from './health.job.js';
import { Holdings, LostWatch, type HeldCluster } from './held.job.js';

/** Often enough for a lease of fifteen seconds, and for a new credential to be taken up. */
const lookMs = 2_000;
/** Where nothing is held: news of clusters wake it, and only what a process left behind waits for this. */
const idleLookMs = 5_000;
/** How long a stop waits for a look under way: a database that does not answer must not keep the process. */
const stopWithinMs = 2_000;
const claimedAtOnce = 10;

interface Watch {
  cluster: HeldCluster;
  stop(): Promise<void>;
}

export interface WatchersOptions {
  database: Database;
  clients: KubeClients;
  clock: Clock;
  logger: Logger;
}

/**
 * Watches clusters in this process, each by one process of all: its health and its deployments. Processes take over what
 * others leave, where those left off.
 */
export class Watchers {
  private readonly holdings: Holdings;
  private readonly watches = new Map<string, Watch>();
  private readonly unlisten: () => void;
  private timer: NodeJS.Timeout | undefined;
  private looking: Promise<void> | undefined;
  private isStarted = false;
  private isStopped = false;

  constructor(private readonly options: WatchersOptions) {
    const { database, clock } = options;
    this.holdings = new Holdings(database, clock, randomUUID());
    this.unlisten = database.onCommitted((events) => {
      if (events.some(({ topic }) => topic === 'hosting.cluster.changed')) this.wake();
    });
  }

  start(): void {
    this.isStarted = true;
    this.schedule(0);
  }

  async stop(): Promise<void> {
    this.isStopped = true;
    this.unlisten();
    clearTimeout(this.timer);
    await Promise.race([this.looking, sleep(stopWithinMs, undefined, { ref: false })]);
    const isHolding = this.watches.size > 0;
    await Promise.all([...this.watches.values()].map(async (watch) => watch.stop()));
    if (!isHolding) return;
    await this.holdings.release().catch((error: unknown) => {
      this.options.logger.warn({ err: error }, 'watched clusters could not be given up');
    });
  }

  private wake(): void {
    if (!this.isStarted) return;
    clearTimeout(this.timer);
    this.schedule(0);
  }

  private schedule(inMs: number): void {
    if (this.isStopped) return;
    this.timer = setTimeout(() => {
      const looked = (this.looking ?? Promise.resolve()).then(async () => this.look());
      this.looking = looked.finally(() => this.schedule(this.watches.size > 0 ? lookMs : idleLookMs));
    }, inMs);
    this.timer.unref();
  }

  /** Renews what is held, takes what is free, and lets go of what is not held any more. Never throws. */
  private async look(): Promise<void> {
    if (this.isStopped) return;
    clearTimeout(this.timer);
    try {
      const renewed = this.watches.size === 0 ? [] : await this.holdings.renew();
      const held = [...renewed, ...(await this.holdings.claim(claimedAtOnce))];
      const byKey = new Map(held.map((cluster) => [keyOf(cluster), cluster]));
      for (const [key, watch] of this.watches) {
        const now = byKey.get(key);
        const isSame =
          now?.epoch === watch.cluster.epoch && now.credentialNumber === watch.cluster.credentialNumber;
        if (isSame) continue;
        this.watches.delete(key);
        await watch.stop();
      }
      for (const [key, cluster] of byKey)
        if (!this.watches.has(key) && !this.isStopped) this.watches.set(key, this.watch(key, cluster));
    } catch (error) {
      // What is held runs out by itself when the database stays away.
      this.options.logger.warn({ err: error }, 'watched clusters could not be looked after');
    }
  }

  private watch(key: string, cluster: HeldCluster): Watch {
    const { clients, clock, logger } = this.options;
    const ending = new AbortController();
    const { signal } = ending;
    const client = clients.of(cluster);
    const waiting = new Set<() => void>();
    const options = { cluster, client, holdings: this.holdings, clock };
    const informer = new Informer({ ...options, onBroken: () => waiting.forEach((wake) => wake()) });
    const woken = async (until: AbortSignal) =>
      new Promise<void>((resolve) => {
        const wake = () => {
          waiting.delete(wake);
          resolve();
        };
        waiting.add(wake);
        until.addEventListener('abort', wake, { once: true });
      });
    const running = Promise.all(
      [followHealth({ ...options, woken }, signal), informer.run(signal)].map(async (part) =>
        part.catch((error: unknown) => {
          if (!(error instanceof LostWatch) && !signal.aborted)
            logger.error({ err: error, cluster: cluster.id }, 'a cluster is watched no more for now');
          // The other part ends as well; the next look begins both anew if the cluster is still held.
          ending.abort();
          if (this.watches.get(key)?.cluster === cluster) this.watches.delete(key);
        }),
      ),
    );
    return {
      cluster,
      stop: async () => {
        ending.abort();
        await running;
      },
    };
  }
}

function keyOf({ tenantId, id }: HeldCluster): string {
  return `${tenantId} ${id}`;
}
