import type { Logger } from '#platform/logger.js';

import type { KubeClient } from '../cluster/api/client.js';
import { KubeError } from '../cluster/api/kube-error.js';
import { pageOf } from '../cluster/api/page.js';
import type { HeldCluster, Holdings } from '../cluster/watch/held.job.js';
import { keepGone, keepSeen } from './keep-seen.job.js';
import { longestName, readDeployment } from './kube-deployment.js';

export const allDeploymentsPath = '/apis/apps/v1/deployments';
const pageSize = 500;
const pageMs = 60_000;
/** More than any cluster has: whoever tells of more tells without end. */
const most = { pages: 2_000, deployments: 200_000 };

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
  const { cluster, client, holdings, logger } = options;
  const { tenantId, id: clusterId } = cluster;
  const found = new Set<string>();
  let version: string | undefined;
  let next: string | undefined;
  let odd = 0;
  let pages = 0;
  let limit = pageSize;
  do {
    const call = { after: next, limit, signal, timeoutMs: pageMs };
    const page = await pageOf<unknown>(client, allDeploymentsPath, call);
    ({ limit } = page);
    const there = page.items.flatMap((item) => readDeployment(item) ?? []);
    odd += page.items.length - there.length;
    for (const item of page.items) {
      const uid = (item as { metadata?: { uid?: unknown } | null } | null)?.metadata?.uid;
      // Of no other length is there a row.
      if (typeof uid === 'string' && uid.length <= longestName) found.add(uid);
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
