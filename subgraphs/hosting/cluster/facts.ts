import type { Cluster } from './cluster.entity.js';

/** What policies may be about, by the paths of governance's catalogue of facts. */
export type ClusterFacts = Readonly<Record<string, string | number | boolean | readonly string[]>>;

/** What is known of a cluster. What is not known is left out. */
export function clusterFacts(cluster: Cluster): ClusterFacts {
  const { nodes, nodesReady, credentialExpiresAt } = cluster;
  return {
    'cluster.name': cluster.name,
    'cluster.provider': cluster.provider,
    'cluster.region': cluster.region,
    'cluster.tags': cluster.tags,
    'cluster.version': cluster.kubernetesVersion,
    'cluster.status': cluster.status.toLowerCase(),
    'cluster.nodes': nodes,
    'cluster.nodes_not_ready': nodes - nodesReady,
    'cluster.cpu_cores': cluster.cpuCores,
    'cluster.memory_gb': cluster.memoryGb,
    ...(credentialExpiresAt === null
      ? {}
      : { 'cluster.credential_expires_at': credentialExpiresAt.toISOString() }),
  };
}
