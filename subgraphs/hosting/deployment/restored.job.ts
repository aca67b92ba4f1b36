import { isLater } from './kube-deployment.js';
import type { ListOptions } from './list.job.js';
import { deploymentsPath } from './manifest.js';

const askMs = 15_000;
/** Any list says how far the whole cluster is. */
const anyListPath = deploymentsPath('kube-system');

/**
 * Whether a cluster is behind what was seen of it already, as after it was restored from a backup. Then the versions that
 * are known of its deployments are of a time that did not happen, and are forgotten: all that it has counts again.
 */
export async function forgetIfRestored(
  { cluster, client, holdings, logger }: ListOptions,
  known: string,
  signal: AbortSignal,
): Promise<boolean> {
  const query = { limit: 1 };
  const call = { query, signal, timeoutMs: askMs };
  const list = await client.get<{ metadata?: { resourceVersion?: unknown } }>(anyListPath, call);
  const version = list.metadata?.resourceVersion;
  if (typeof version !== 'string' || !isLater(known, version)) return false;
  const { tenantId, id } = cluster;
  logger.warn({ cluster: id, known, version }, 'a cluster is behind what it was, and is listed anew');
  await holdings.write(cluster, async ({ em }) => {
    await em.execute('update hosting.cluster set resource_version = null where tenant_id = ? and id = ?', [
      tenantId,
      id,
    ]);
    await em.execute(
      `update hosting.deployment set resource_version = null, seen_meanwhile = null
       where tenant_id = ? and cluster_id = ? and deleted_at is null`,
      [tenantId, id],
    );
  });
  return true;
}
