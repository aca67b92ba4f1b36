import { ClusterStatus, type Observation } from '../cluster.status.js';
import type { Call, KubeClient } from './client.js';
import { KubeError, unreachable } from './kube-error.js';
import { pageOf } from './page.js';
import { quantity } from './quantity.js';

/** What a cluster has, as its API tells. */
export interface Capacity {
  kubernetesVersion: string;
  nodes: number;
  nodesReady: number;
  cpuCores: number;
  memoryGb: number;
}

/** Whoever answers may be anybody. */
type KubeNode = {
  status?: {
    capacity?: Record<string, unknown> | null;
    conditions?: unknown;
  } | null;
} | null;

const isReady = (condition: { type?: unknown; status?: unknown } | null): boolean =>
  condition?.type === 'Ready' && condition.status === 'True';

const longestUid = 253;
const pageSize = 100;
const mostPages = 100;

/** Throws OTHER_CLUSTER unless it is the cluster that was registered, by the uid of its namespace kube-system. */
export async function requireSame(
  client: KubeClient,
  identity: string,
  call: Pick<Call, 'timeoutMs' | 'signal'>,
): Promise<void> {
  const found = await client.get<{ metadata?: { uid?: unknown } }>('/api/v1/namespaces/kube-system', call);
  if (found.metadata?.uid !== identity)
    throw new KubeError('OTHER_CLUSTER', 'Another cluster answers at its address: register that as such');
}

/** Whether a cluster answers, is the one that it was, and is ready. Never throws. */
export async function observe(
  client: KubeClient,
  identity: string,
  call: Required<Pick<Call, 'timeoutMs' | 'signal'>>,
): Promise<Observation> {
  const ok: Observation = { status: ClusterStatus.HEALTHY, reason: null, message: null };
  try {
    await client.body('/readyz', call).catch((error: unknown) => {
      if (!isKept(error)) throw error;
    });
    // Anybody may ask for /readyz; whether the credential still holds, only an API tells.
    await requireSame(client, identity, call);
    return ok;
  } catch (error) {
    const problem = unreachable(error);
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
      case 'FORBIDDEN':
        return {
          status: ClusterStatus.DEGRADED,
          reason: 'CREDENTIAL_REFUSED',
          message: `It does not let the credential look at it: ${problem.message}`,
        };
      case 'OTHER_CLUSTER':
        return { status: ClusterStatus.DEGRADED, reason: 'OTHER_CLUSTER', message: problem.message };
      // It answers, and has too much to do for looks.
      case 'RATE_LIMITED':
        return ok;
      case 'NOT_FOUND':
      case 'CONFLICT':
      case 'INVALID':
      case 'EXPIRED':
      case 'TOO_LARGE':
      case 'FAILED':
        return { status: ClusterStatus.DEGRADED, reason: 'NOT_READY', message: problem.message };
    }
  }
}

/** Some clusters keep /readyz to themselves, or what stands before them does: then an API tells. */
function isKept(error: unknown): boolean {
  const { status } = unreachable(error).options;
  return status !== undefined && [401, 403, 404].includes(status);
}

/** What a cluster has, by its version and its nodes. */
export async function capacityOf(client: KubeClient, signal?: AbortSignal): Promise<Capacity> {
  const call = signal ? { signal } : {};
  const { major, minor } = await client.get<{ major: unknown; minor: unknown }>('/version', call);
  const capacity = { nodes: 0, nodesReady: 0, cpuCores: 0, memoryGb: 0 };
  let after: string | undefined;
  let limit = pageSize;
  for (let page = 0; page < mostPages; page += 1) {
    const found = await pageOf<KubeNode>(client, '/api/v1/nodes', { ...call, after, limit });
    for (const node of found.items) {
      const { conditions, capacity: has } = node?.status ?? {};
      capacity.nodes += 1;
      if (Array.isArray(conditions) && conditions.some(isReady)) capacity.nodesReady += 1;
      capacity.cpuCores += quantity(has?.['cpu']);
      capacity.memoryGb += quantity(has?.['memory']) / 2 ** 30;
    }
    ({ next: after, limit } = found);
    if (after === undefined) break;
  }
  // Some providers write `34+`.
  const number = (text: unknown) => String(text).replace(/\D/g, '').slice(0, 9);
  return {
    kubernetesVersion: `${number(major)}.${number(minor)}`,
    ...capacity,
    cpuCores: rounded(capacity.cpuCores),
    memoryGb: rounded(capacity.memoryGb),
  };
}

const rounded = (value: number): number => Math.round(value * 100) / 100;

/** What the panel needs to be allowed, as the words of a review. An apply that makes what is not there takes `create` too. */
const needed = [
  { verb: 'get', group: 'apps', resource: 'deployments' },
  { verb: 'list', group: 'apps', resource: 'deployments' },
  { verb: 'watch', group: 'apps', resource: 'deployments' },
  { verb: 'create', group: 'apps', resource: 'deployments' },
  { verb: 'patch', group: 'apps', resource: 'deployments' },
  { verb: 'delete', group: 'apps', resource: 'deployments' },
] as const;

/** Who a cluster is, what it has, and what the credential may not do there that the panel needs. */
export async function identify(
  client: KubeClient,
): Promise<{ identity: string; capacity: Capacity; missing: string[] }> {
  await client.body('/readyz').catch((error: unknown) => {
    if (!isKept(error)) throw error;
  });
  const system = await client.get<{ metadata?: { uid?: unknown } }>('/api/v1/namespaces/kube-system');
  const uid = system.metadata?.uid;
  if (typeof uid !== 'string' || uid.length > longestUid)
    throw new KubeError('INVALID', 'Its namespace kube-system has no uid');
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
  return { identity: uid, capacity, missing };
}
