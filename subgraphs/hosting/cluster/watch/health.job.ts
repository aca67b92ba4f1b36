import type { Clock } from '#platform/clock.js';
import type { Logger } from '#platform/logger.js';

import { wakeDeployments } from '../../deployment/wake.service.js';
import type { KubeClient } from '../api/client.js';
import { capacityOf, observe, type Capacity } from '../api/look.js';
import { changeCluster, clusterFactsEvent, lockCluster } from '../change.service.js';
import { ClusterStatus, healthAfter, probeMs, thresholdMs, type Health } from '../cluster.status.js';
import type { HeldCluster, Holdings } from './held.job.js';
import { unwatched, type Watching } from './watching.js';

const capacityMs = 60_000;
/** As exact as `lastSeenAt` is. */
const seenMs = 60_000;
const lookMs = 5_000;

export interface HealthOptions {
  cluster: HeldCluster;
  client: KubeClient;
  holdings: Holdings;
  clock: Clock;
  logger: Logger;
  watching: Watching;
  /** Resolves when there is a reason to look before the pause is over. */
  woken: (signal: AbortSignal) => Promise<void>;
}

/** Looks at a cluster every ten seconds for as long as it is held, and keeps what it finds. */
export async function followHealth(
  { cluster, client, holdings, clock, logger, watching, woken }: HealthOptions,
  signal: AbortSignal,
): Promise<void> {
  let health: Health = { status: cluster.status, reason: cluster.reason, message: cluster.message };
  let known: Capacity | undefined;
  let capacityAt = -Infinity;
  let writtenAt = -Infinity;
  /** Since when looks find it well. */
  let wellSince = Infinity;
  while (!signal.aborted) {
    const over = new AbortController();
    const either = AbortSignal.any([signal, over.signal]);
    // What happens while it looks is a reason to look again.
    const isWoken = woken(either);
    // An outage is as old as the look that met it, however long that took.
    const now = clock.now().getTime();
    const looked = await observe(client, cluster.identity, { timeoutMs: lookMs, signal });
    if (signal.aborted) return;
    const isWell = looked.status === ClusterStatus.HEALTHY;
    wellSince = isWell ? Math.min(wellSince, now) : Infinity;
    const problem = watching.problemAfter(wellSince);
    const seen = problem ? unwatched(problem) : looked;
    const next = healthAfter(health, seen, now);
    let capacity: Capacity | undefined;
    if (isWell && now - capacityAt >= capacityMs) {
      capacity = await capacityOf(client, signal).catch(() => undefined);
      capacityAt = now;
    }
    const isNew =
      next.status !== health.status || next.reason !== health.reason || next.message !== health.message;
    if (problem && next.reason === seen.reason && health.reason !== seen.reason)
      logger.warn({ cluster: cluster.id, err: problem }, 'the deployments of a cluster can not be watched');
    const isOther = capacity !== undefined && JSON.stringify(capacity) !== JSON.stringify(known);
    const isSeen = seen.status !== ClusterStatus.OFFLINE;
    if (isNew || isOther || (isSeen && now - writtenAt >= seenMs)) {
      // Whoever begins to watch tells facts anew: nobody knows whether they ever were.
      const isFirst = writtenAt === -Infinity;
      await keep(holdings, cluster, { health: next, capacity, isSeen, isFirst });
      writtenAt = now;
      known = capacity ?? known;
    }
    health = next;
    // The moment at which it counts is looked at as exactly as the others.
    const countsAt = next.otherwiseSince === undefined ? Infinity : next.otherwiseSince + thresholdMs;
    const pauseMs = Math.min(now + probeMs, countsAt) - clock.now().getTime();
    if (pauseMs > 0) await Promise.race([clock.delay(pauseMs, either).catch(() => undefined), isWoken]);
    over.abort();
  }
}

interface Found {
  health: Health;
  capacity: Capacity | undefined;
  isSeen: boolean;
  isFirst: boolean;
}

async function keep(
  holdings: Holdings,
  held: HeldCluster,
  { health, capacity, isSeen, isFirst }: Found,
): Promise<void> {
  await holdings.write(held, async ({ em, publish, now }) => {
    const cluster = await lockCluster(em, held.tenantId, held.id);
    if (!cluster) return;
    const { status, reason, message } = health;
    const isBack = cluster.status === ClusterStatus.OFFLINE && status !== ClusterStatus.OFFLINE;
    if (isBack) await wakeDeployments(em, { tenantId: held.tenantId, clusterId: held.id, now });
    const seen = isSeen ? { lastSeenAt: now } : {};
    const told = { status, reason, message, ...capacity };
    const isTold = Object.entries(told).some(
      ([field, value]) => cluster[field as keyof typeof told] !== value,
    );
    if (isTold) changeCluster(publish, cluster, { ...told, ...seen });
    else Object.assign(cluster, seen);
    if (isFirst) publish(clusterFactsEvent(cluster));
  });
}
