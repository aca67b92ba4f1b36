import type { Clock } from '#platform/clock.js';

import type { KubeClient, WatchEvent } from '../cluster/api/client.js';
import { KubeError } from '../cluster/api/kube-error.js';
import type { HeldCluster, Holdings } from '../cluster/watch/held.job.js';
import { keepSeen, type Place } from './keep-seen.job.js';
import type { KubeDeployment } from './rollout.js';

const path = '/apis/apps/v1/deployments';
const pageSize = 500;
const watchSeconds = 300;
/** How long events are gathered before they are written together. */
const gatherMs = 50;
const mostWaiting = 1_000;

export interface InformerOptions {
  cluster: HeldCluster;
  client: KubeClient;
  holdings: Holdings;
  clock: Clock;
  /** A watch ended otherwise than by its time. */
  onBroken: () => void;
}

interface List {
  metadata: { resourceVersion: string; continue?: string };
  items: KubeDeployment[];
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
    while (!signal.aborted) {
      try {
        this.version ??= await this.list(signal);
        await this.watch(this.version, signal);
        this.failures = 0;
      } catch (error) {
        if (signal.aborted) return;
        if (!(error instanceof KubeError)) throw error;
        // Once; a cluster that says so of what it has just listed is waited for as for any other failure.
        const isFirst = error.kind === 'EXPIRED' && this.failures === 0;
        if (error.kind === 'EXPIRED') this.version = null;
        else this.options.onBroken();
        this.failures += 1;
        if (!isFirst) await this.pause(error, signal);
      }
    }
  }

  private async pause({ options: { retryAfterMs = 0 } }: KubeError, signal: AbortSignal): Promise<void> {
    const backoffMs = Math.min(1_000 * 2 ** (this.failures - 1), 30_000) * (0.75 + Math.random() / 4);
    await this.options.clock.delay(Math.max(backoffMs, retryAfterMs), signal).catch(() => undefined);
  }

  private async list(signal: AbortSignal): Promise<string> {
    const { client, holdings, cluster } = this.options;
    const there: KubeDeployment[] = [];
    let next: string | undefined;
    for (;;) {
      const query = { limit: pageSize, continue: next };
      const { metadata, items } = await client.get<List>(path, { query, signal, timeoutMs: 60_000 });
      there.push(...items.map(slim));
      next = metadata.continue;
      if (next) continue;
      await holdings.write(cluster, async (keeping) => {
        await keepSeen(keeping, { tenantId: cluster.tenantId, clusterId: cluster.id, there, gone: null });
        await this.keepVersion(keeping.em, metadata.resourceVersion);
      });
      return metadata.resourceVersion;
    }
  }

  private async watch(from: string, signal: AbortSignal): Promise<void> {
    const { client } = this.options;
    const waiting: WatchEvent[] = [];
    const ending = new AbortController();
    let timer: NodeJS.Timeout | undefined;
    let problem: unknown;
    let writing = Promise.resolve();
    const flush = () => {
      timer = undefined;
      writing = writing
        .then(async () => this.keep(waiting.splice(0)))
        .catch((error: unknown) => {
          problem ??= error;
          ending.abort();
        });
    };
    const query = { resourceVersion: from, allowWatchBookmarks: true, timeoutSeconds: watchSeconds };
    try {
      for await (const event of client.watch(path, query, AbortSignal.any([signal, ending.signal]))) {
        this.failures = 0;
        waiting.push(event);
        timer ??= setTimeout(flush, gatherMs);
        if (waiting.length >= mostWaiting) await writing;
      }
    } catch (error) {
      problem ??= error;
    }
    clearTimeout(timer);
    flush();
    await writing;
    if (problem !== undefined) throw problem as Error;
  }

  /** Of several events of one deployment the last counts. */
  private async keep(events: readonly WatchEvent[]): Promise<void> {
    if (events.length === 0) return;
    const { holdings, cluster } = this.options;
    const there = new Map<string, KubeDeployment>();
    const gone = new Map<string, Place>();
    let version = this.version!;
    for (const { type, object } of events) {
      const seen = object as KubeDeployment;
      version = seen.metadata.resourceVersion;
      if (type === 'BOOKMARK') continue;
      const { namespace, name } = seen.metadata;
      const key = `${namespace}/${name}`;
      if (type === 'DELETED') {
        there.delete(key);
        gone.set(key, { namespace, name });
      } else there.set(key, slim(seen));
    }
    // One that was deleted and made again is both.
    const left = [...gone].filter(([key]) => there.has(key)).map(([, place]) => place);
    await holdings.write(cluster, async (keeping) => {
      const of = { tenantId: cluster.tenantId, clusterId: cluster.id };
      if (left.length > 0) await keepSeen(keeping, { ...of, there: [], gone: left });
      if (there.size + gone.size > left.length)
        await keepSeen(keeping, {
          ...of,
          there: [...there.values()],
          gone: [...gone.values()].filter((place) => !left.includes(place)),
        });
      await this.keepVersion(keeping.em, version);
    });
    this.version = version;
  }

  private async keepVersion(em: Parameters<typeof keepSeen>[0]['em'], version: string): Promise<void> {
    const { tenantId, id } = this.options.cluster;
    await em.execute('update hosting.cluster set resource_version = ? where tenant_id = ? and id = ?', [
      version,
      tenantId,
      id,
    ]);
  }
}

/** What is kept of an object while it waits; objects may be large, and many. */
function slim({ metadata, spec, status }: KubeDeployment): KubeDeployment {
  const {
    managedFields: _fields,
    annotations: _annotations,
    ...rest
  } = metadata as KubeDeployment['metadata'] & {
    managedFields?: unknown;
    annotations?: unknown;
  };
  const { replicas, paused, template } = spec;
  return {
    metadata: rest,
    spec: {
      ...(replicas === undefined ? {} : { replicas }),
      ...(paused === undefined ? {} : { paused }),
      template: {
        spec: {
          containers: template.spec.containers
            .slice(0, 1)
            .map(({ name, image }) => ({ name, ...(image === undefined ? {} : { image }) })),
        },
      },
    },
    ...(status === undefined ? {} : { status }),
  };
}
