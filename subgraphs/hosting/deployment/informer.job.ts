import type { Clock } from '#platform/clock.js';
import type { Logger } from '#platform/logger.js';

import type { KubeClient } from '../cluster/api/client.js';
import { KubeError } from '../cluster/api/kube-error.js';
import { requireSame } from '../cluster/api/look.js';
import type { HeldCluster, Holdings, WatcherWrite } from '../cluster/watch/held.job.js';
import type { Watching } from '../cluster/watch/watching.js';
import { Gathered } from './gathered.js';
import { keepSeen } from './keep-seen.job.js';
import { allDeploymentsPath, listDeployments } from './list.job.js';
import { forgetIfRestored } from './restored.job.js';

const watchSeconds = 300;
/** How long events are gathered before they are written together. */
const gatherMs = 50;
/** So many wait to be written at the most; then the connection has to wait. */
const mostGathered = 500;
const identifyMs = 15_000;

export interface InformerOptions {
  cluster: HeldCluster;
  client: KubeClient;
  holdings: Holdings;
  clock: Clock;
  logger: Logger;
  watching: Watching;
  /** A watch ended otherwise than by its time. */
  onBroken: () => void;
}

/**
 * Keeps a cluster's deployments as rows: lists them once, watches from there on, goes on where a watch ended (also one of
 * another process before), and lists anew when that is too long ago.
 */
export class Informer {
  private version: string | null;
  private failures = 0;

  constructor(private readonly options: InformerOptions) {
    this.version = options.cluster.resourceVersion;
  }

  /** Until the signal ends it, or the cluster is held no more, which throws. */
  async run(signal: AbortSignal): Promise<void> {
    const { client, cluster, watching } = this.options;
    while (!signal.aborted) {
      try {
        await requireSame(client, cluster.identity, { timeoutMs: identifyMs, signal });
        if (this.version !== null && (await forgetIfRestored(this.options, this.version, signal)))
          this.version = null;
        if (this.version === null) {
          this.version = await listDeployments(this.options, signal);
          watching.listed();
        }
        await this.watch(this.version, signal);
        if (watching.ends()) this.failures = 0;
        else {
          watching.fails(new KubeError('FAILED', 'A watch ends as soon as it has begun'));
          await this.pause(signal);
        }
      } catch (error) {
        if (signal.aborted) return;
        if (!(error instanceof KubeError)) throw error;
        // Whatever it told: one that tells something and ends at once would be listed without end.
        if (watching.ends()) this.failures = 0;
        // What is too old is listed again, and what was served for a while broke by itself.
        else if (error.kind !== 'EXPIRED') watching.fails(error);
        // Once; a cluster that says so of what it has just listed is waited for as for any other failure.
        const isFirst = error.kind === 'EXPIRED' && this.failures === 0;
        if (error.kind === 'EXPIRED') this.version = null;
        else this.options.onBroken();
        if (isFirst) this.failures = 1;
        else await this.pause(signal, error.options.retryAfterMs);
      }
    }
  }

  private async pause(signal: AbortSignal, leastMs = 0): Promise<void> {
    this.failures += 1;
    const backoffMs = Math.min(1_000 * 2 ** (this.failures - 1), 30_000) * (0.75 + Math.random() / 4);
    await this.options.clock.delay(Math.max(backoffMs, leastMs), signal).catch(() => undefined);
  }

  private async watch(from: string, signal: AbortSignal): Promise<void> {
    const gathered = new Gathered();
    const ending = new AbortController();
    let timer: NodeJS.Timeout | undefined;
    let problem: unknown;
    let writing = Promise.resolve();
    const flush = async () => {
      clearTimeout(timer);
      timer = undefined;
      writing = writing.then(async () => {
        // What came after something that could not be written must not be: a watch goes on from the last that was.
        if (problem !== undefined) return;
        try {
          await this.keep(gathered);
        } catch (error) {
          problem = error;
          ending.abort();
        }
      });
      await writing;
    };
    const query = { resourceVersion: from, allowWatchBookmarks: true, timeoutSeconds: watchSeconds };
    let broken: unknown;
    try {
      const both = AbortSignal.any([signal, ending.signal]);
      const { client, watching } = this.options;
      for await (const event of client.watch(allDeploymentsPath, query, both, () => watching.begins())) {
        gathered.add(event);
        if (gathered.size >= mostGathered) await flush();
        else timer ??= setTimeout(() => void flush(), gatherMs);
      }
    } catch (error) {
      broken = error;
    }
    await flush();
    if (problem !== undefined) throw problem as Error;
    if (broken !== undefined) throw broken as Error;
  }

  private async keep(gathered: Gathered): Promise<void> {
    const { there, gone, version, odd } = gathered.take();
    if (version === undefined) return;
    const { holdings, cluster, logger } = this.options;
    if (odd > 0)
      logger.warn({ cluster: cluster.id, objects: odd }, 'a watch told of deployments that are none');
    await holdings.write(cluster, async (write) => {
      const of = { tenantId: cluster.tenantId, clusterId: cluster.id, there, gone };
      if (there.length + gone.length > 0) await keepSeen(write, of);
      await keepVersion(write, cluster, version);
    });
    this.version = version;
  }
}

/** Where a watch goes on. */
async function keepVersion(
  { em }: WatcherWrite,
  { tenantId, id }: HeldCluster,
  version: string,
): Promise<void> {
  await em.execute('update hosting.cluster set resource_version = ? where tenant_id = ? and id = ?', [
    version,
    tenantId,
    id,
  ]);
}
