import { AppsV1Api, KubeConfig, PatchStrategy, setHeaderOptions } from '@kubernetes/client-node';

import type { KubernetesSandbox } from '#sandbox/kubernetes/start.js';

import { dataOf } from '../../support/answers.js';
import { deploymentsAt, type Place } from './deployments.js';
import { cluster, type KubernetesPanel } from './kubernetes-panel.js';

interface Revision {
  revision: number;
  isWanted: boolean;
  changeCause: string | null;
  toRevision: number | null;
  image: string;
  replicas: number;
  changed: string[];
  createdAt: string | null;
  createdBy: string | null;
}

interface Template {
  metadata: { annotations?: Record<string, string> };
  spec: {
    containers: {
      image: string;
      env?: { name: string; value: string }[];
      ports?: { containerPort: number }[];
    }[];
  };
}

const namespace = 'default';

/** What a cluster says that refuses to apply what it took the dry run of. */
export const refused = {
  kind: 'error',
  reason: 'Forbidden',
  message: 'no',
  method: 'PATCH',
  dryRun: false,
} as const;

export interface RolloutPlace extends Place {
  sandbox: KubernetesSandbox;
  /** Of somebody else who works in the cluster. */
  apps: AppsV1Api;
}

/** A cluster of a new tenant's, which is watched. */
export async function watchedCluster(panel: KubernetesPanel): Promise<Omit<RolloutPlace, 'panel'>> {
  const tenant = await panel.world.tenant();
  const sandbox = await panel.kubernetes();
  const clusterId = await cluster(tenant, sandbox, { tags: ['web'] });
  await panel.pass(() => sandbox.openWatches === 1, 'a watch');
  const config = new KubeConfig();
  config.loadFromString(sandbox.kubeconfig({ user: 'somebody', by: 'token' }));
  return { tenant, sandbox, clusterId, apps: config.makeApiClient(AppsV1Api) };
}

/** What people do with the rollouts of deployments in one cluster, and what is there then. */
export function rolloutsAt(place: () => RolloutPlace) {
  const { put, remove, stateOf, reaches } = deploymentsAt(place);
  const running = async (name: string, more: object = {}) => {
    const { tenant, clusterId } = place();
    const { body, status, text } = await tenant.rest<{ id: string }>('/api/k8s/deployments', {
      body: { cluster_id: clusterId, name, image: 'nginx:1', ...more },
    });
    if (status !== 201) throw new Error(`${status} ${text}`);
    await reaches(body.id, 'RUNNING');
    return body.id;
  };
  const changed = async (id: string, body: object) => {
    const { status, text } = await put(id, body);
    if (status !== 200) throw new Error(`${status} ${text}`);
    await reaches(id, 'RUNNING');
  };
  const restart = async (id: string, more: object = {}, by = place().tenant, token = by.token) =>
    by.world.graphql<{ restartDeployment: { id: string; status: string; revision: number } }>(
      'mutation($input: RestartDeploymentInput!) { restartDeployment(input: $input) { id status revision } }',
      { input: { id, ...more } },
      token,
    );
  const rollBack = async (
    id: string,
    toRevision: number,
    more: object = {},
    by = place().tenant,
    token = by.token,
  ) =>
    by.world.graphql<{ rollBackDeployment: { id: string; status: string; revision: number; image: string } }>(
      'mutation($input: RollBackDeploymentInput!) { rollBackDeployment(input: $input) { id status revision image } }',
      { input: { id, toRevision, ...more } },
      token,
    );
  const pageOf = async (
    id: string,
    args: { first?: number; after?: string } = {},
    token = place().tenant.token,
  ) =>
    place().tenant.world.graphql<{
      deploymentRevisions: {
        totalCount: number;
        pageInfo: { endCursor: string | null; hasNextPage: boolean };
        nodes: Revision[];
      };
    }>(
      `query($id: ID!, $first: Int, $after: String) { deploymentRevisions(deploymentId: $id, first: $first, after: $after) {
       totalCount pageInfo { endCursor hasNextPage }
       nodes { revision isWanted changeCause toRevision image replicas changed createdAt createdBy }
     } }`,
      { id, ...args },
      token,
    );
  const history = async (id: string) => dataOf(await pageOf(id)).deploymentRevisions.nodes;
  /** Each as its number, what it came about by, and its image. */
  const told = async (id: string) =>
    (await history(id)).map(
      ({ revision, changeCause, image, isWanted }) =>
        `${revision} ${changeCause} ${image}${isWanted ? ' wanted' : ''}`,
    );
  const templateOf = (name: string) =>
    (place().sandbox.deployment(namespace, name)?.spec as { template: Template } | undefined)?.template;
  const environment = (name: string) =>
    Object.fromEntries(
      (templateOf(name)?.spec.containers[0]?.env ?? []).map((each) => [each.name, each.value]),
    );
  const generation = (name: string) => place().sandbox.deployment(namespace, name)?.metadata.generation;
  const podsOf = async (id: string) =>
    dataOf(
      await place().tenant.graphql<{ deploymentPods: { name: string }[] }>(
        'query($id: ID!) { deploymentPods(deploymentId: $id) { name } }',
        { id },
      ),
    ).deploymentPods.map(({ name }) => name);
  const byOthers = async (name: string, spec: object, fieldManager: string) =>
    place().apps.patchNamespacedDeployment(
      { name, namespace, fieldManager, body: { spec } },
      setHeaderOptions('Content-Type', PatchStrategy.StrategicMergePatch),
    );
  return {
    put,
    remove,
    stateOf,
    reaches,
    running,
    changed,
    restart,
    rollBack,
    pageOf,
    history,
    told,
    templateOf,
    environment,
    generation,
    podsOf,
    byOthers,
  };
}
