import type { Clock } from '#platform/clock.js';
import type { Logger } from '#platform/logger.js';

import { Informer } from '../../deployment/informer.job.js';
import type { KubeClients, OwnClient } from '../api/clients.js';
import { changeCluster, lockCluster } from '../change.service.js';
import { ClusterStatus } from '../cluster.status.js';
import { followHealth } from './health.job.js';
import { LostWatch, type HeldCluster, type Holdings } from './held.job.js';
import { Watching } from './watching.js';

export interface WatchOptions {
  cluster: HeldCluster;
  holdings: Holdings;
  clients: KubeClients;
  clock: Clock;
  logger: Logger;
}

/** What is done about one cluster for as long as this process holds it. */
export interface Watch {
  readonly cluster: HeldCluster;
  /** It came to an end by itself: it is begun anew if the cluster is still held. */
  readonly isOver: boolean;
  stop(): Promise<void>;
}

/** Follows the health and the deployments of a cluster, once `before` is over. Never throws. */
export function beginWatch(options: WatchOptions, before: Promise<void> | undefined): Watch {
  const ending = new AbortController();
  let isOver = false;
  const running = (async () => {
    await before;
    try {
      await watched(options, ending);
    } catch (error) {
      if (!(error instanceof LostWatch) && !ending.signal.aborted)
        options.logger.error(
          { err: error, cluster: options.cluster.id },
          'a cluster is watched no more for now',
        );
    }
    isOver = true;
  })();
  return {
    cluster: options.cluster,
    get isOver() {
      return isOver;
    },
    stop: async () => {
      ending.abort();
      await running;
    },
  };
}

async function watched(options: WatchOptions, ending: AbortController): Promise<void> {
  const { cluster, holdings, clients, clock, logger } = options;
  const { signal } = ending;
  let own: OwnClient;
  try {
    own = clients.own(cluster);
  } catch (error) {
    logger.error({ err: error, cluster: cluster.id }, 'the credential of a cluster cannot be opened');
    await tellUnreadable(holdings, cluster);
    // Until it is replaced.
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
    return;
  }
  const waiting = new Set<() => void>();
  // A watch broke during a look, which may have been too early to meet what broke it: another follows at once.
  let isBroken = false;
  const woken = async (until: AbortSignal) =>
    new Promise<void>((resolve) => {
      const wake = () => {
        waiting.delete(wake);
        resolve();
      };
      if (isBroken) resolve();
      else waiting.add(wake);
      isBroken = false;
      until.addEventListener('abort', wake, { once: true });
    });
  const watching = new Watching(clock);
  const of = { cluster, client: own.client, holdings, clock, logger, watching };
  const onBroken = () => {
    isBroken = waiting.size === 0;
    waiting.forEach((wake) => wake());
  };
  const informer = new Informer({ ...of, onBroken });
  const parts = [followHealth({ ...of, woken }, signal), informer.run(signal)];
  try {
    await Promise.all(parts);
  } finally {
    // When one part fails the other ends as well.
    ending.abort();
    await Promise.allSettled(parts);
    await own.close();
  }
}

async function tellUnreadable(holdings: Holdings, held: HeldCluster): Promise<void> {
  await holdings.write(held, async ({ em, publish }) => {
    const cluster = await lockCluster(em, held.tenantId, held.id);
    if (!cluster || cluster.reason === 'CREDENTIAL_UNREADABLE') return;
    changeCluster(publish, cluster, {
      status: ClusterStatus.DEGRADED,
      reason: 'CREDENTIAL_UNREADABLE',
      message:
        'What is kept of its credential cannot be opened by SECRETS_KEY, or has a key that is taken no more: updateCluster replaces it',
    });
  });
}
