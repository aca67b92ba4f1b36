import type { JsonObject, KubeObject } from '../wire.js';
import type { Store } from './store.js';

export interface Node {
  name: string;
  cpu: number;
  memoryGb: number;
  isReady: boolean;
  version: string;
  region?: string;
}

/** The namespaces that every cluster has, and its nodes. */
export function seed(store: Store, nodes: readonly Node[], time: string, uidOf: () => string): void {
  for (const name of ['default', 'kube-node-lease', 'kube-public', 'kube-system'])
    store.put('namespaces', {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: {
        name,
        uid: uidOf(),
        resourceVersion: '',
        creationTimestamp: time,
        labels: { 'kubernetes.io/metadata.name': name },
      },
      spec: { finalizers: ['kubernetes'] },
      status: { phase: 'Active' },
    });
  for (const [at, node] of nodes.entries()) putNode(store, node, at === 0, time, uidOf);
}

export function putNode(
  store: Store,
  node: Node,
  isControlPlane: boolean,
  time: string,
  uidOf: () => string,
): void {
  const before = store.get('nodes', undefined, node.name);
  const capacity = { cpu: String(node.cpu), memory: `${node.memoryGb * 1024 * 1024}Ki`, pods: '110' };
  store.put('nodes', {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name: node.name,
      uid: before?.metadata.uid ?? uidOf(),
      resourceVersion: '',
      creationTimestamp: before?.metadata.creationTimestamp ?? time,
      labels: {
        'kubernetes.io/hostname': node.name,
        ...(isControlPlane ? { 'node-role.kubernetes.io/control-plane': '' } : {}),
        ...(node.region === undefined ? {} : { 'topology.kubernetes.io/region': node.region }),
      },
    },
    spec: {},
    status: {
      capacity,
      allocatable: capacity,
      conditions: [readyCondition(node, time)],
      nodeInfo: infoOf(node),
    },
  } satisfies KubeObject);
}

function readyCondition({ isReady }: Node, time: string): JsonObject {
  return {
    type: 'Ready',
    status: isReady ? 'True' : 'False',
    lastHeartbeatTime: time,
    lastTransitionTime: time,
    reason: isReady ? 'KubeletReady' : 'KubeletNotReady',
    message: isReady ? 'kubelet is posting ready status' : 'container runtime is down',
  };
}

function infoOf({ name, version }: Node): JsonObject {
  return {
    machineID: name,
    systemUUID: name,
    bootID: name,
    kernelVersion: '6.12.0',
    osImage: 'Debian GNU/Linux 13',
    containerRuntimeVersion: 'containerd://2.1.0',
    kubeletVersion: version,
    kubeProxyVersion: '',
    operatingSystem: 'linux',
    architecture: 'amd64',
  };
}
