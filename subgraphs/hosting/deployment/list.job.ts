import type { Logger } from '#platform/logger.js';

import type { KubeClient } from '../cluster/api/client.js';
import { KubeError } from '../cluster/api/kube-error.js';
import type { HeldCluster, Holdings } from '../cluster/watch/held.job.js';
import { keepGone, keepSeen } from './keep-seen.job.js';
import { readDeployment } from './kube-deployment.js';

export const allDeploymentsPath = '/apis/apps/v1/deployments';
const pageSize = 500;
const pageMs = 60_000;
/** More than any cluster has: whoever tells of more tells without end. */
const most = { pages: 2_000, deployments: 200_000 };

interface Page {
  metadata?: { resourceVersion?: unknown; continue?: unknown };
  items?: unknown;
}

export interface ListOptions {
  cluster: HeldCluster;
  client: KubeClient;
  holdings: Holdings;
  logger: Logger;
}

/**
 * Reads all deployments of a cluster, writes each page as it comes, and ends the rows of those that are there no more.
 * Answers the version from which a watch goes on. What stays in memory is a page, and the uids.
 */
export async function listDeployments(options: ListOptions, signal: AbortSignal): Promise<string> {
  const { cluster, holdings, logger } = options;
  const { tenantId, id: clusterId } = cluster;
  const found = new Set<string>();
  let version: string | undefined;
  let next: string | undefined;
  let odd = 0;
  let pages = 0;
  do {
    const page = await pageAfter(options, next, signal);
    const there = page.items.flatMap((item) => readDeployment(item) ?? []);
    odd += page.items.length - there.length;
    for (const item of page.items) {
      const uid = (item as { metadata?: { uid?: unknown } | null } | null)?.metadata?.uid;
      if (typeof uid === 'string') found.add(uid);
    }
    if (there.length > 0)
      await holdings.write(cluster, async (write) =>
        keepSeen(write, { tenantId, clusterId, there, gone: [] }),
      );
    if ((pages += 1) > most.pages || found.size > most.deployments)
      throw new KubeError('TOO_LARGE', `It has more than ${most.deployments} deployments`);
    // All pages are as of the first.
    version ??= page.version;
    next = page.next;
  } while (next !== undefined);
  if (odd > 0) logger.warn({ cluster: clusterId, objects: odd }, 'a list has deployments that are none');
  const listVersion = version;
  let after: string | undefined = '';
  while (after !== undefined) {
    const from: string = after;
    await holdings.write(cluster, async (write) => {
      after = await keepGone(write, { tenantId, clusterId, found, listVersion, after: from });
      if (after !== undefined) return;
      await write.em.execute(
        'update hosting.cluster set resource_version = ? where tenant_id = ? and id = ?',
        [listVersion, tenantId, clusterId],
      );
    });
  }
  return listVersion;
}

interface ReadPage {
  version: string;
  next: string | undefined;
  items: readonly unknown[];
}

/** Smaller ones where objects are so large that one is refused. */
async function pageAfter(
  { client }: ListOptions,
  after: string | undefined,
  signal: AbortSignal,
): Promise<ReadPage> {
  for (let limit = pageSize; ; limit = Math.ceil(limit / 5)) {
    try {
      const query = { limit, continue: after };
      const page = await client.get<Page>(allDeploymentsPath, { query, signal, timeoutMs: pageMs });
      const { resourceVersion, continue: next } = page.metadata ?? {};
      if (typeof resourceVersion !== 'string' || !Array.isArray(page.items))
        throw new KubeError('FAILED', 'It answered with something else than a list');
      return {
        version: resourceVersion,
        next: typeof next === 'string' && next !== '' ? next : undefined,
        items: page.items,
      };
    } catch (error) {
      if (!(error instanceof KubeError) || error.kind !== 'TOO_LARGE' || limit === 1) throw error;
    }
  }
}
