import { AppsV1Api, KubeConfig } from '@kubernetes/client-node';

import type { KubernetesSandbox } from '#sandbox/kubernetes/start.js';

import { cluster, type KubernetesPanel } from '../../hosting/support/kubernetes-panel.js';
import { until, type Tenant } from '../../support/world.js';

export interface Scene {
  tenant: Tenant;
  sandbox: KubernetesSandbox;
  clusterId: string;
}

/** A tenant with a cluster that is watched. */
export async function sceneAt(panel: KubernetesPanel): Promise<Scene> {
  const tenant = await panel.world.tenant();
  const sandbox = await panel.kubernetes();
  const clusterId = await cluster(tenant, sandbox, { name: 'main', tags: ['prod'] });
  await until(async () => sandbox.openWatches === 1, 'a watch');
  return { tenant, sandbox, clusterId };
}

export async function run({ tenant, clusterId }: Scene, name: string, more: object = {}): Promise<string> {
  const { body, status, text } = await tenant.rest<{ id: string }>('/api/k8s/deployments', {
    body: { cluster_id: clusterId, name, image: 'nginx:1.27', replicas: 2, ...more },
  });
  if (status !== 201) throw new Error(`${status} ${text}`);
  return body.id;
}

/** Somebody else who works in the cluster. */
export function appsOf(sandbox: KubernetesSandbox): AppsV1Api {
  const config = new KubeConfig();
  config.loadFromString(sandbox.kubeconfig({ user: 'somebody', by: 'token' }));
  return config.makeApiClient(AppsV1Api);
}

/** What runs of it in the cluster. */
export async function containerOf({ sandbox }: Pick<Scene, 'sandbox'>, name: string) {
  const { spec } = await appsOf(sandbox).readNamespacedDeployment({ name, namespace: 'default' });
  const { image, env } = spec!.template.spec!.containers[0]!;
  return {
    replicas: spec!.replicas,
    image,
    env: Object.fromEntries((env ?? []).map((each) => [each.name, each.value])),
  };
}
