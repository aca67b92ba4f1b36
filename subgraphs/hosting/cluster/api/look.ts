import { ClusterStatus, type Observation } from '../cluster.status.js';
import type { KubeClient } from './client.js';
import { KubeError } from './kube-error.js';
import { quantity } from './quantity.js';

/** What a cluster has, as its API tells. */
export interface Capacity {
  kubernetesVersion: string;
  nodes: number;
  nodesReady: number;
  cpuCores: number;
  memoryGb: number;
}

interface NodeList {
  metadata: { continue?: string };
  items: readonly {
    status?: {
      capacity?: Record<string, unknown>;
      conditions?: readonly { type: string; status: string }[];
    };
  }[];
}

const pageSize = 500;
const mostPages = 20;

/** Whether a cluster answers and is ready. Never throws. */
export async function observe(client: KubeClient, timeoutMs: number): Promise<Observation> {
  const ok: Observation = { status: ClusterStatus.HEALTHY, reason: null, message: null };
  try {
    await client.text('/readyz', { timeoutMs });
    // Anybody may ask for /readyz; whether the credential still holds, only an API tells.
    await client.get('/api/v1/namespaces/kube-system', { timeoutMs });
    return ok;
  } catch (error) {
    const problem = error instanceof KubeError ? error : new KubeError('FAILED', 'It could not be asked');
    switch (problem.kind) {
      case 'UNREACHABLE':
      case 'TARGET_REFUSED':
      case 'CERTIFICATE':
        return { status: ClusterStatus.OFFLINE, reason: problem.kind, message: problem.message };
      case 'UNAUTHORIZED':
        return {
          status: ClusterStatus.DEGRADED,
          reason: 'CREDENTIAL_REFUSED',
          message: 'It does not take the credential any more: updateCluster replaces it',
        };
      case 'RATE_LIMITED':
      case 'NOT_FOUND':
      case 'FORBIDDEN':
        return ok;
      case 'CONFLICT':
      case 'INVALID':
      case 'EXPIRED':
      case 'FAILED':
        return { status: ClusterStatus.DEGRADED, reason: 'NOT_READY', message: problem.message };
    }
  }
}

/** What a cluster has, by its version and its nodes. */
export async function capacityOf(client: KubeClient): Promise<Capacity> {
  const { major, minor } = await client.get<{ major: string; minor: string }>('/version');
  const capacity = { nodes: 0, nodesReady: 0, cpuCores: 0, memoryGb: 0 };
  let next: string | undefined;
  for (let page = 0; page < mostPages; page += 1) {
    const list = await client.get<NodeList>('/api/v1/nodes', { query: { limit: pageSize, continue: next } });
    for (const { status } of list.items) {
      capacity.nodes += 1;
      if (status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True'))
        capacity.nodesReady += 1;
      capacity.cpuCores += quantity(status?.capacity?.['cpu']);
      capacity.memoryGb += quantity(status?.capacity?.['memory']) / 2 ** 30;
    }
    next = list.metadata.continue;
    if (!next) break;
  }
  // Some providers write `34+`.
  const number = (text: string) => text.replace(/\D/g, '');
  return {
    kubernetesVersion: `${number(major)}.${number(minor)}`,
    ...capacity,
    cpuCores: rounded(capacity.cpuCores),
    memoryGb: rounded(capacity.memoryGb),
  };
}

const rounded = (value: number): number => Math.round(value * 100) / 100;

/** What the panel needs to be allowed, as the words of a review. */
const needed = [
  { verb: 'list', group: 'apps', resource: 'deployments' },
  { verb: 'watch', group: 'apps', resource: 'deployments' },
  { verb: 'patch', group: 'apps', resource: 'deployments' },
  { verb: 'delete', group: 'apps', resource: 'deployments' },
] as const;

/** Who a cluster is, what it has, and what the credential may not do there that the panel needs. */
export async function identify(
  client: KubeClient,
): Promise<{ identity: string; capacity: Capacity; missing: string[] }> {
  await client.text('/readyz');
  const { metadata } = await client.get<{ metadata: { uid: string } }>('/api/v1/namespaces/kube-system');
  const capacity = await capacityOf(client);
  const missing: string[] = [];
  for (const { verb, group, resource } of needed) {
    const { status } = await client.get<{ status?: { allowed?: boolean } }>(
      '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
      {
        method: 'POST',
        body: {
          apiVersion: 'authorization.k8s.io/v1',
          kind: 'SelfSubjectAccessReview',
          spec: { resourceAttributes: { verb, group, resource } },
        },
      },
    );
    if (status?.allowed !== true) missing.push(`${verb} ${resource}`);
  }
  return { identity: metadata.uid, capacity, missing };
}
