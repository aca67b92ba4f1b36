import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import type { Clock } from '#platform/clock.js';
import type { Database } from '#platform/database/database.js';
import type { Logger } from '#platform/logger.js';

import type { KubeClients } from '../api/clients.js';
import { Holdings, type HeldCluster } from './held.job.js';
import { beginWatch, type Watch } from './watch.job.js';

/** Often enough for a lease of fifteen seconds, and for a new credential to be taken up. */
const lookMs = 2_000;
/** Where nothing is held: news of clusters wake it, and only what a process left behind waits for this. */
const idleLookMs = 5_000;
/** How long a stop waits for a look under way: a database that does not answer must not keep the process. */
const stopWithinMs = 2_000;
const claimedAtOnce = 10;

export interface WatchersOptions {
  database: Database;
  clients: KubeClients;
  clock: Clock;
  logger: Logger;
  /** Whose clusters are let alone for as long. */
  isSuspended: (tenantId: string) => boolean;
}

/**
 * Watches clusters in this process, each by one process of all: its health and its deployments. Processes take over what
 * others leave, where those left off. A look never waits for a cluster: it renews what this process holds. Clusters of a
 * tenant that is suspended are held, so that nobody else takes them, and not asked for anything.
 */
export class Watchers {
  private readonly holdings: Holdings;
  private readonly watches = new Map<string, Watch>();
  private isHolding = false;
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
    await Promise.all([...this.watches.values()].map(async (watch) => watch.stop()));
    if (!this.isHolding) return;
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
      this.looking = looked.finally(() => this.schedule(this.isHolding ? lookMs : idleLookMs));
    }, inMs);
    this.timer.unref();
  }

  /** Renews what is held, takes what is free, and lets go of what is not held any more. Never throws. */
  private async look(): Promise<void> {
    if (this.isStopped) return;
    clearTimeout(this.timer);
    try {
      const renewed = this.isHolding ? await this.holdings.renew() : [];
      const held = [...renewed, ...(await this.holdings.claim(claimedAtOnce))];
      this.isHolding = held.length > 0;
      const watched = held.filter(({ tenantId }) => !this.options.isSuspended(tenantId));
      const byKey = new Map(watched.map((cluster) => [keyOf(cluster), cluster]));
      for (const [key, watch] of this.watches)
        if (!byKey.has(key)) {
          this.watches.delete(key);
          void watch.stop();
        }
      for (const [key, cluster] of byKey) this.follow(key, cluster);
    } catch (error) {
      // What is held runs out by itself when the database stays away.
      this.options.logger.warn({ err: error }, 'watched clusters could not be looked after');
    }
  }

  private follow(key: string, cluster: HeldCluster): void {
    const known = this.watches.get(key);
    const isSame =
      known?.cluster.epoch === cluster.epoch && known.cluster.credentialNumber === cluster.credentialNumber;
    if (this.isStopped || (isSame && !known.isOver)) return;
    const { clients, clock, logger } = this.options;
    const { holdings } = this;
    // One of the same cluster may still be at work.
    const before = known?.stop();
    this.watches.set(key, beginWatch({ cluster, holdings, clients, clock, logger }, before));
  }
}

function keyOf({ tenantId, id }: HeldCluster): string {
  return `${tenantId} ${id}`;
}
